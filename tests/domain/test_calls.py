"""Partner agencies send in news; the deadline is enforced, and no text is ever lost."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.delivery.notices.notice_values import values_of
from newsletter.domain.calls.deadline import reading
from newsletter.domain.calls.deadline.rights import Arrival
from newsletter.domain.calls.decisions import guarding, triage
from newsletter.domain.calls.handing_in import contributing
from newsletter.domain.calls.texts import news
from newsletter.domain.calls.texts.news import News
from newsletter.domain.issues import creating, protocols
from newsletter.domain.subscribers import suppressing
from newsletter.errors import Invalid, NotFound
from newsletter.models import Activity, Contribution, Issue, MailingList, Notice
from newsletter.rendering import rich
from newsletter.states import ContributionState, IssueState, SuppressionReason
from tests import people

NEWS = News(
    title="One number for domestic abuse",
    body="From Monday 1 February 2027 every agency can reach us on one number.\n\nWhen you call:\n- say who you are\n"
    "- have the address ready",
    agency="Larkmere Police",
    contact_name="Sam Okafor",
    contact_address="sam@police.example.org",
    contact_phone="01632 960 114",
)


@pytest.fixture
def safeguarding(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def december(safeguarding: MailingList, now: datetime) -> Issue:
    """Its deadline is 5pm, Friday 11 December 2026."""
    return people.issue(now, safeguarding)


def send(issue: Issue, now: datetime, opened_at: datetime | None = None, piece: News = NEWS) -> contributing.Outcome:
    with transaction():
        return contributing.save_contribution(issue, piece, opened_at=opened_at or now, now=now)


def notices_to(address: str) -> list[str]:
    return list(db.session.scalars(select(Notice.template).where(Notice.address == address).order_by(Notice.id)))


def at(hour: int, minute: int, second: int = 0) -> datetime:
    """A moment of Friday 11 December 2026, when UK time is UTC."""
    return datetime.fromisoformat(f"2026-12-11T{hour:02}:{minute:02}:{second:02}+00:00")


@pytest.mark.parametrize(
    ("opened", "posted", "arrival", "state"),
    [
        (at(16, 0), at(16, 59, 59), Arrival.IN_TIME, ContributionState.SUBMITTED),
        (at(16, 0), at(17, 0, 59), Arrival.IN_TIME, ContributionState.SUBMITTED),
        (at(16, 58), at(17, 9), Arrival.IN_GRACE, ContributionState.SUBMITTED),
        (at(17, 0, 59), at(17, 15, 59), Arrival.IN_GRACE, ContributionState.SUBMITTED),
        (at(16, 58), at(17, 16), Arrival.LATE, ContributionState.DRAFT),
        (at(16, 50), at(17, 40), Arrival.LATE, ContributionState.DRAFT),
        (at(17, 1), at(17, 2), Arrival.LATE, ContributionState.DRAFT),
    ],
)
def test_the_deadline_holds_to_the_second(
    december: Issue, opened: datetime, posted: datetime, arrival: Arrival, state: ContributionState
) -> None:
    outcome = send(december, posted, opened)

    assert outcome.arrival is arrival
    assert outcome.contribution.state is state
    assert outcome.contribution.late is (arrival is Arrival.LATE)
    assert outcome.contribution.body == NEWS.body


def test_a_form_from_the_future_is_no_way_around_the_deadline(december: Issue) -> None:
    assert send(december, at(18, 0), at(19, 0)).arrival is Arrival.LATE


def test_the_sender_gets_a_full_copy_with_the_deadline(december: Issue, now: datetime) -> None:
    contribution = send(december, now).contribution

    notice = db.session.scalars(select(Notice)).one()
    values = values_of(notice, now)
    assert notice.template == "contribution_receipt"
    assert notice.address == "sam@police.example.org"
    assert values["body"] == NEWS.body
    assert values["title"] == NEWS.title
    assert values["reference"] == contribution.reference
    assert values["deadline"] == "5pm, Friday 11 December 2026 (UK time)"


def test_who_is_late_hears_that_the_text_is_saved(december: Issue) -> None:
    send(december, at(17, 40), at(16, 50))

    assert notices_to("sam@police.example.org") == ["contribution_late"]


def test_a_double_click_is_one_contribution_and_one_mail(december: Issue, now: datetime) -> None:
    first = send(december, now + timedelta(seconds=60), opened_at=now)
    second = send(december, now + timedelta(seconds=61), opened_at=now)

    assert second.again
    assert second.contribution.id == first.contribution.id
    assert notices_to("sam@police.example.org") == ["contribution_receipt"]


def test_nobody_is_flooded_through_the_form(december: Issue, now: datetime) -> None:
    for number in range(15):
        send(december, now + timedelta(minutes=number))

    assert len(notices_to("sam@police.example.org")) == 10
    assert len(reading.contributions_to(december)) == 15


def test_an_address_that_said_it_was_not_them_gets_no_copy(december: Issue, now: datetime) -> None:
    with transaction():
        suppressing.suppress(NEWS.contact_address, SuppressionReason.NOT_ME, now=now)

    contribution = send(december, now).contribution

    assert contribution.state is ContributionState.SUBMITTED
    assert not contributing.copy_was_sent(contribution)


def test_every_problem_is_named_at_once(december: Issue, now: datetime) -> None:
    with pytest.raises(Invalid) as caught:
        send(december, now, piece=News(title="", body=" \n", agency="", contact_name="", contact_address="sam@"))

    assert [problem.field for problem in caught.value.problems] == [
        "title", "body", "agency", "contact_name", "contact_address",
    ]  # fmt: skip
    assert db.session.scalar(select(func.count()).select_from(Contribution)) == 0


def test_an_issue_without_a_call_takes_none(app: Flask, now: datetime) -> None:
    people.larkmere(now)
    bulletin = people.issue(now, people.policy_changes(now), "Bulletin", "bulletin")

    with pytest.raises(NotFound):
        send(bulletin, now)


def test_once_an_issue_is_on_its_way_its_call_is_over(december: Issue, now: datetime) -> None:
    assert [issue.slug for issue in reading.open_calls(now)] == ["december-2026"]

    with transaction():
        december.state, december.cancelled_at = IssueState.CANCELLED, now

    assert reading.open_calls(now) == []
    assert send(december, now).arrival is Arrival.LATE


def test_open_calls_are_those_before_their_deadline(safeguarding: MailingList, december: Issue, now: datetime) -> None:
    assert reading.open_call(safeguarding, at(17, 0, 59)) == december
    assert reading.open_call(safeguarding, at(17, 1)) is None


def test_no_issue_is_scheduled_over_the_heads_of_its_contributors(december: Issue, now: datetime) -> None:
    guarding.register()
    first, second = (send(december, now + timedelta(minutes=number)).contribution for number in range(2))

    assert [each.sentence[:37] for each in protocols.guards_obstacles(december, now)] == [
        "2 contributions wait for a decision. "
    ]
    with transaction():
        triage.decline(first, "No.", actor=None, now=now)
        triage.place(second, actor=None, now=now)
    assert protocols.guards_obstacles(december, now) == []


def test_what_comes_after_scheduling_waits_in_the_next_issue(december: Issue, now: datetime) -> None:
    guarding.register()
    with transaction():
        march = people_next(december, now)
    contribution = send(december, now).contribution
    with transaction():
        protocols.tell(protocols.Happening.PUBLISHED, december, now)

    assert contribution.issue_id == march.id
    assert contribution.state is ContributionState.SUBMITTED


def people_next(issue: Issue, now: datetime) -> Issue:
    following = creating.create_issue(
        issue.mailing_list, title="March 2027", deadline=issue.deadline, actor=None, now=now
    )
    issue.next_issue_id = following.id
    db.session.flush()
    db.session.refresh(issue)
    return following


def test_the_record_names_no_contributor(december: Issue, now: datetime) -> None:
    send(december, now)

    entry = db.session.scalars(select(Activity).where(Activity.action == "contribution.received")).one()
    assert entry.actor_name == "A contributor"
    assert "sam@" not in str(entry.detail)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("One.\nStill one.\n\nTwo.", "<p>One. Still one.</p><p>Two.</p>"),
        ("Bring:\n- a pen\n• a pencil", "<p>Bring:</p><ul><li>a pen</li><li>a pencil</li></ul>"),
        ("- alone\nthen words", "<ul><li>alone</li></ul><p>then words</p>"),
        ("<b>Tom & Jo</b>", "<p>&lt;b&gt;Tom &amp; Jo&lt;/b&gt;</p>"),
        (
            "See https://example.org/a?b=1&c=2.",
            '<p>See <a href="https://example.org/a?b=1&amp;c=2">https://example.org/a?b=1&amp;c=2</a>.</p>',
        ),
        ("5 - 3 is 2, -5 is less", "<p>5 - 3 is 2, -5 is less</p>"),
    ],
)
def test_plain_text_becomes_a_section(typed: str, stored: str) -> None:
    assert news.to_xhtml(typed) == stored


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(alphabet="ab <>&\"'-*•\n\u00a0é", max_size=40), max_size=6).map("\n".join))
def test_no_word_of_a_contribution_is_lost(typed: str) -> None:
    marks = {"-", "*", "•"}
    words = [word for word in typed.split() if word not in marks]

    kept = rich.words(news.to_xhtml(typed)).split()

    assert "".join(word for word in kept if word not in marks) == "".join(words)
