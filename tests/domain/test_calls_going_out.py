"""An issue goes out: nobody who sent something in is passed over, and whoever is in it hears so, once."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery.notices.notice_values import values_of
from newsletter.domain.calls.decisions import guarding, merging, settling, telling_out, triage
from newsletter.domain.calls.decisions.triage import Mail
from newsletter.domain.calls.handing_in import withdrawing
from newsletter.domain.issues import editing, protocols
from newsletter.errors import Refused
from newsletter.models import Account, Issue, Notice
from newsletter.states import ContributionState
from tests import people
from tests.contributions import late, sent_in
from tests.web import desk


@pytest.fixture
def ruth(app: Flask, now: datetime) -> Account:
    return people.staff(now)


@pytest.fixture
def january(ruth: Account, now: datetime) -> Issue:
    """January 2027, with April 2027 after it."""
    return desk.january(now, people.larkmere(now), ruth)


def notices(template: str) -> list[Notice]:
    return list(db.session.scalars(select(Notice).where(Notice.template == template).order_by(Notice.id)))


def publish(issue: Issue, now: datetime) -> None:
    with transaction():
        protocols.tell(protocols.Happening.PUBLISHED, issue, now)


def test_the_schedule_waits_for_every_decision(january: Issue, ruth: Account, now: datetime) -> None:
    first, second = (sent_in(january, now, title) for title in ("One", "Two"))
    second.state = ContributionState.CHANGES_REQUESTED
    db.session.commit()
    late(january, now)
    sent_in(january, now, "Not proved", proved_at=None, prove_by=now + timedelta(hours=24))
    sent_in(january, now, "A draft", state=ContributionState.DRAFT, submitted_at=None)

    found = protocols.guards_obstacles(january, now)
    assert [(each.code, each.firm, each.sentence[:37]) for each in found] == [
        ("contributions_undecided", False, "2 contributions wait for a decision. ")
    ]
    with transaction():
        triage.place(first, actor=ruth, now=now)
        triage.decline(second, "No.", actor=ruth, now=now)
    assert protocols.guards_obstacles(january, now) == []


def test_not_even_an_override_passes_somebody_who_wants_it_out(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now)
    with transaction():
        triage.place(news, actor=ruth, now=now)
    with transaction():
        withdrawing.ask(news, "Please take out the paragraph about staff.", now=now)
    (found,) = protocols.guards_obstacles(january, now)
    assert (found.code, found.firm) == ("withdrawal_asked", True)
    assert found.sentence == "Helen Price asks you to take something out of “Peer mentors”. Settle that first."
    with transaction():
        settling.keep(news, mail=Mail(why="The paragraph is out."), actor=ruth, now=now)
    assert protocols.guards_obstacles(january, now) == []
    with pytest.raises(Refused, match="settled already"), transaction():
        settling.take_out(news, actor=ruth, now=now)


def test_what_comes_too_late_for_it_waits_in_the_next_issue_and_its_sender_hears_so(
    january: Issue, now: datetime
) -> None:
    in_time, too_late = sent_in(january, now), late(january, now, contact_address="tom@example.org")
    unproved = sent_in(january, now, "Not proved", proved_at=None, prove_by=now + timedelta(hours=24))
    draft = sent_in(january, now, "A draft", state=ContributionState.DRAFT, submitted_at=None)
    publish(january, now)

    april = january.next_issue
    assert april is not None
    assert [(each.issue_id, each.state, each.late) for each in (in_time, too_late, unproved)] == [
        (april.id, ContributionState.SUBMITTED, False)
    ] * 3
    assert draft.issue_id == january.id, "what nobody sent stays where its writer left it"
    told = notices("contribution_moved")
    assert [each.address for each in told] == ["helen@example.org", "tom@example.org"], (
        "an unproved address is left alone"
    )
    assert values_of(told[0], now)["issue"] == "Safeguarding news, April 2027"


def test_without_a_next_issue_they_are_kept_and_the_record_says_so(app: Flask, now: datetime) -> None:
    issue = people.issue(now, people.larkmere(now))
    news = sent_in(issue, now)
    publish(issue, now)
    assert (news.issue_id, news.state) == (issue.id, ContributionState.SUBMITTED)
    assert notices("contribution_moved") == []


def test_whoever_is_in_it_hears_that_it_is_out_once(january: Issue, ruth: Account, now: datetime) -> None:
    first, second = (sent_in(january, now, title) for title in ("Peer mentors", "Practice week"))
    joined = sent_in(january, now, "Mentors too", contact_address="tom@example.org")
    deleted = sent_in(january, now, "Deleted", contact_address="deleted@example.org")
    declined = sent_in(january, now, "Declined", contact_address="declined@example.org")
    with transaction():
        for each in (first, second):
            triage.place(each, actor=ruth, now=now)
        editing.delete_block(triage.place(deleted, actor=ruth, now=now), actor=ruth, now=now)
        merging.merge(joined, first, actor=ruth, now=now)
        triage.decline(declined, "No.", actor=ruth, now=now)
    publish(january, now)
    with transaction():
        assert telling_out.tell_contributors(january, now + timedelta(minutes=1)) == 0

    told = notices("contribution_out")
    assert [each.address for each in told] == ["helen@example.org", "tom@example.org"]
    values = values_of(told[0], now)
    assert values["titles"] == ["Peer mentors", "Practice week"]
    assert values["url"] == f"https://news.example.org/news/{january.slug}"


def test_waiting_ones_stand_at_the_top_of_the_desk(january: Issue, now: datetime) -> None:
    news = sent_in(january, now)
    assert [each.reference for each in guarding.waiting_contributions(january, now)] == [news.reference]
