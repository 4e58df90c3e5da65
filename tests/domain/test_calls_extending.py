"""More time: asked for, given with one click, refused, used up, taken back; and both sides hear of it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.delivery.notices.notice_values import NoLongerNeeded, values_of
from newsletter.domain.calls.deadline import rights
from newsletter.domain.calls.deadline.rights import Arrival
from newsletter.domain.calls.reminding import extending, extension_mails
from newsletter.errors import Invalid, NotAllowed, Refused
from newsletter.models import Account, Activity, Extension, Issue, MailingList, Notice
from newsletter.states import ContributionState, ExtensionState, IssueState, Role
from tests import people
from tests.domain import call_makers as make

START = datetime(2017, 11, 6, 10, 0, tzinfo=UTC)
FRIDAY = make.deadline(date(2017, 11, 24))
EVENING = datetime(2017, 11, 24, 17, 40, tzinfo=UTC)
SUNDAY = datetime(2017, 11, 26, 15, 0, tzinfo=UTC)
MONDAY_NOON = make.deadline(date(2017, 11, 27), time(12))


@pytest.fixture
def ruth(app: Flask) -> Account:
    return make.partnership(START)[1]


@pytest.fixture
def december(ruth: Account) -> Issue:
    return make.call(db.session.query(MailingList).one(), START, FRIDAY)


def ask(issue: Issue, name: str = "Sam", reason: str = "Our manager is away.", now: datetime = EVENING) -> Extension:
    with transaction():
        return extending.ask(issue, contributor=make.person(name), reason=reason, now=now)


def notice(template: str) -> Notice:
    return db.session.query(Notice).filter_by(template=template).order_by(Notice.id).all()[-1]


def test_sam_asks_ruth_gives_and_sam_sends_on_sunday(december: Issue, ruth: Account) -> None:
    asked = ask(december)
    assert make.to("more_time_asked") == ["ruth"]
    question = values_of(notice("more_time_asked"), EVENING)
    assert question["who"] == "Sam Okafor, Larkmere Police"
    assert question["reason"] == "Our manager is away."
    assert question["url"].endswith(f"/desk/issues/december-2017/call/time/{asked.public_id}")

    with transaction():
        extending.grant(asked, extending.suggested_end(december, EVENING), actor=ruth, now=EVENING)
    assert asked.deadline == MONDAY_NOON
    assert make.to("more_time_given") == ["sam"]
    assert make.to("more_time_told") == ["ruth"]
    assert values_of(notice("more_time_given"), EVENING)["until"] == "noon, Monday 27 November 2017 (UK time)"
    assert values_of(notice("more_time_told"), EVENING)["until"] == "noon, Monday 27 November 2017 (UK time)"

    sam = make.person("Sam")
    piece = make.piece(december, SUNDAY, sam)
    found = rights.right(december, SUNDAY, SUNDAY, contributor=sam, contribution=piece)
    assert found.arrival is Arrival.EXTENSION
    with transaction():
        piece.state, piece.submitted_at = ContributionState.SUBMITTED, SUNDAY
        rights.spend(found, piece, SUNDAY)
    assert asked.state is ExtensionState.USED
    late = MONDAY_NOON.closes_at
    assert not rights.right(december, late, late, contributor=sam, contribution=piece).counts


def test_asking_twice_is_one_question_and_one_mail(december: Issue) -> None:
    first = ask(december)
    second = ask(december, reason="Our manager is away until Monday.")

    assert second.id == first.id
    assert first.reason == "Our manager is away until Monday."
    assert make.to("more_time_asked") == ["ruth"]


def test_one_who_has_time_or_an_answer_does_not_ask_again(december: Issue, ruth: Account) -> None:
    asked = ask(december)
    with transaction():
        extending.grant(asked, MONDAY_NOON, actor=ruth, now=EVENING)
    with pytest.raises(Refused, match="You have until noon, Monday 27 November 2017"):
        ask(december)
    ask(december, "Nadia", now=EVENING)
    nadia = extending.own_extension(december, contributor=make.person("Nadia"))
    assert nadia is not None
    with transaction():
        extending.refuse(nadia, note="The issue is full.", actor=ruth, now=EVENING)
    assert make.to("more_time_refused") == ["nadia"]
    assert values_of(notice("more_time_refused"), EVENING)["comment"] == "The issue is full."
    with pytest.raises(Refused, match="have answered"):
        ask(december, "Nadia")


def test_whoever_has_a_key_but_no_account_asks_for_that_text(december: Issue, ruth: Account) -> None:
    piece = make.piece(december, EVENING, late=True)
    with transaction():
        asked = extending.ask(december, contribution=piece, wished=MONDAY_NOON, now=EVENING)
    assert asked.deadline == MONDAY_NOON
    assert not rights.right(december, SUNDAY, SUNDAY, contribution=piece).counts
    with transaction():
        extending.grant(asked, MONDAY_NOON, actor=ruth, now=EVENING)
    assert make.to("more_time_given") == ["tom"]
    assert rights.right(december, SUNDAY, SUNDAY, contribution=piece).counts
    assert "One number for domestic abuse" in extension_mails.holder(asked)


def test_two_clicks_are_one_grant_and_the_slower_of_two_editors_is_told(december: Issue, ruth: Account) -> None:
    asked = ask(december)
    for _twice in range(2):
        with transaction():
            extending.grant(asked, MONDAY_NOON, actor=ruth, now=EVENING)
    assert make.to("more_time_given") == ["sam"]
    with pytest.raises(Refused, match="Somebody was quicker"), transaction():
        extending.refuse(asked, actor=ruth, now=EVENING)
    with pytest.raises(Refused, match="Somebody was quicker"), transaction():
        extending.grant(asked, make.deadline(date(2017, 11, 28)), actor=ruth, now=EVENING)


def test_a_refusal_may_be_thought_better_of(december: Issue, ruth: Account) -> None:
    asked = ask(december)
    with transaction():
        extending.refuse(asked, actor=ruth, now=EVENING)
    refusal = notice("more_time_refused")
    with transaction():
        extending.grant(asked, MONDAY_NOON, actor=ruth, now=EVENING)
    assert asked.state is ExtensionState.GRANTED
    with pytest.raises(NoLongerNeeded):
        values_of(refusal, EVENING)


def test_unasked_to_a_whole_agency(december: Issue, ruth: Account) -> None:
    police = make.agency_of("Sam")
    kim = make.contributor("Kim Ward", START, police)
    with transaction():
        extending.give(december, MONDAY_NOON, agency=police, note="For your review.", actor=ruth, now=EVENING)
    assert make.to("more_time_given") == ["sam"]
    assert rights.right(december, SUNDAY, SUNDAY, contributor=kim).counts
    assert not rights.right(december, SUNDAY, SUNDAY, contributor=make.person("Nadia")).counts
    later = make.deadline(date(2017, 11, 28))
    with transaction():
        again = extending.give(december, later, agency=police, actor=ruth, now=EVENING)
    assert again.deadline == later
    assert db.session.query(Extension).count() == 1


def test_giving_answers_what_was_asked(december: Issue, ruth: Account) -> None:
    asked = ask(december)
    with transaction():
        given = extending.give(december, MONDAY_NOON, contributor=make.person("Sam"), actor=ruth, now=EVENING)
    assert given.id == asked.id
    assert given.state is ExtensionState.GRANTED


def test_taken_back_and_what_was_handed_in_stays(december: Issue, ruth: Account) -> None:
    with transaction():
        given = extending.give(december, MONDAY_NOON, contributor=make.person("Sam"), actor=ruth, now=EVENING)
    mail = notice("more_time_given")
    with transaction():
        extending.revoke(given, actor=ruth, now=EVENING)
    assert make.to("more_time_taken_back") == ["sam"]
    with pytest.raises(NoLongerNeeded):
        values_of(mail, EVENING)
    assert not rights.right(december, SUNDAY, SUNDAY, contributor=make.person("Sam")).counts
    with transaction():
        given.state, given.used_at = ExtensionState.USED, SUNDAY
    with pytest.raises(Refused, match="have sent in their news"), transaction():
        extending.revoke(given, actor=ruth, now=SUNDAY)


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (make.deadline(date(2017, 11, 24)), "two hours"),
        (make.deadline(date(2017, 11, 24), time(18)), "two hours"),
        (make.deadline(date(2017, 12, 8)), "The issue goes out at"),
    ],
)
def test_an_end_that_makes_no_sense_is_refused_in_words(
    december: Issue, ruth: Account, until: object, words: str
) -> None:
    asked = ask(december)
    with pytest.raises(Invalid, match=words), transaction():
        extending.grant(asked, until, actor=ruth, now=EVENING)


def test_before_the_deadline_it_must_be_later_than_everybodys(december: Issue, ruth: Account) -> None:
    with pytest.raises(Invalid, match="Everybody has until 5pm, Friday 24 November 2017"), transaction():
        extending.give(
            december, make.deadline(date(2017, 11, 23)), contributor=make.person("Sam"), actor=ruth, now=START
        )


def test_only_editors_decide_and_nobody_once_the_issue_is_out(december: Issue, ruth: Account) -> None:
    asked = ask(december)
    vera = people.staff(START, "Vera Holt", Role.VIEWER)
    with pytest.raises(NotAllowed), transaction():
        extending.grant(asked, MONDAY_NOON, actor=vera, now=EVENING)
    with transaction():
        december.state, december.cancelled_at = IssueState.CANCELLED, EVENING
    with pytest.raises(Refused, match="takes nothing more"):
        ask(december, "Nadia")
    with pytest.raises(Refused, match="takes nothing more"), transaction():
        extending.give(december, MONDAY_NOON, contributor=make.person("Sam"), actor=ruth, now=EVENING)


def test_it_is_all_on_record_and_a_long_reason_is_refused(december: Issue, ruth: Account) -> None:
    with pytest.raises(Invalid, match="1,000 characters"):
        ask(december, reason="x" * 1001)
    asked = ask(december)
    with transaction():
        extending.grant(asked, MONDAY_NOON, actor=ruth, now=EVENING)
    with transaction():
        extending.revoke(asked, actor=ruth, now=EVENING)
    rows = db.session.query(Activity).filter(Activity.action.startswith("extension.")).order_by(Activity.id)
    assert [(row.action, row.actor_name) for row in rows] == [
        ("extension.asked", "A contributor"), ("extension.granted", "Ruth Adeyemi"),
        ("extension.revoked", "Ruth Adeyemi"),
    ]  # fmt: skip


def test_the_suggested_end_is_noon_on_a_working_day(december: Issue) -> None:
    assert extending.suggested_end(december, START).words == "noon, Monday 27 November 2017"
    assert extending.suggested_end(december, SUNDAY + timedelta(days=3)).words == "noon, Thursday 30 November 2017"
    assert extending.suggested_end(december, START, days=3, at=time(17)).words == "5pm, Wednesday 29 November 2017"
