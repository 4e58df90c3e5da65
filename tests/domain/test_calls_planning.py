"""Ruth lays out a year, moves a date, and takes back what nobody has begun with."""

from datetime import UTC, date, datetime, time
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.calls.rhythm import cadence, planning, replanning
from newsletter.domain.calls.rhythm.cadence import PRESETS, Rhythm
from newsletter.domain.issues import creating, editing, reviewing, scheduling
from newsletter.domain.staff import mailing_lists
from newsletter.errors import Invalid, NotAllowed, Refused
from newsletter.models import Block, Issue, MailingList
from newsletter.states import IssueNaming, IssueState, Role
from tests import people
from tests.domain.issue_makers import approved, desk

THIRD_FRIDAY = PRESETS[0].rhythm


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    """Larkmere's list: news by the third Friday of January, April, July and October, sent on the last Thursday."""
    mailing_list = people.larkmere(now)
    with transaction():
        cadence.choose(mailing_list, THIRD_FRIDAY, actor=None, now=now)
    return mailing_list


def lay_out(mailing_list: MailingList, now: datetime, year: int = 2027, first_number: int | None = None) -> list[Issue]:
    with transaction():
        return planning.lay_out(mailing_list, year, first_number=first_number, actor=None, now=now)


def begin(mailing_list: MailingList, now: datetime, title: str, day: date | None, deadline: date) -> Issue:
    """An issue begun by hand."""
    with transaction():
        return creating.create_issue(
            mailing_list,
            title=title,
            planned_at=datetime.combine(day, time(10), UTC) if day else None,
            deadline=Deadline.of(deadline, time(17), "Europe/London"),
            actor=None,
            now=now,
        )


def titles(mailing_list: MailingList) -> list[str]:
    return list(db.session.scalars(select(Issue.title).order_by(Issue.planned_at)))


def test_a_year_has_its_names_days_and_one_after_the_other(quarterly: MailingList, now: datetime) -> None:
    made = lay_out(quarterly, now)

    assert [issue.title for issue in made] == ["January 2027", "April 2027", "July 2027", "October 2027"]
    assert [issue.deadline.words for issue in made if issue.deadline] == [
        "5pm, Friday 15 January 2027", "5pm, Friday 16 April 2027",
        "5pm, Friday 16 July 2027", "5pm, Friday 15 October 2027",
    ]  # fmt: skip
    # 10am in winter time is 10:00 UTC, in summer time 09:00.
    assert [f"{issue.planned_at:%d %b %H:%M}" for issue in made] == [
        "28 Jan 10:00", "29 Apr 09:00", "29 Jul 09:00", "28 Oct 09:00"
    ]  # fmt: skip
    assert [str(reviewing.approval_day(issue)) for issue in made] == [
        "2027-01-26", "2027-04-27", "2027-07-27", "2027-10-26"
    ]  # fmt: skip
    assert [issue.next_issue for issue in made] == [*made[1:], None]
    assert made[0].planned_key == "2027-01-28"
    assert "call" in {block.kind for block in made[0].blocks}


def test_twice_makes_one_and_the_next_year_follows(quarterly: MailingList, now: datetime) -> None:
    first = lay_out(quarterly, now)

    assert lay_out(quarterly, now) == []
    later = lay_out(quarterly, now, 2028)
    assert first[-1].next_issue == later[0]
    assert db.session.scalar(select(func.count(Issue.id))) == 8
    # And a year before the one that is there ends with it.
    assert lay_out(quarterly, now, 2026) == []


@pytest.mark.both_databases
def test_two_people_at_once_make_each_issue_once(app: Flask, now: datetime) -> None:
    together, made = Barrier(2), []

    def press() -> None:
        with app.app_context():
            together.wait(10)
            with transaction():
                made.append(len(planning.lay_out(mailing_lists.all_lists()[0], 2027, actor=None, now=now)))
            db.session.remove()

    with_rhythm = people.larkmere(now)
    with transaction():
        cadence.choose(with_rhythm, THIRD_FRIDAY, actor=None, now=now)
    people_at_once = [Thread(target=press) for _ in range(2)]
    for each in people_at_once:
        each.start()
    for each in people_at_once:
        each.join(60)
    assert sorted(made) == [0, 4]
    assert len(planning.issues_of_year(with_rhythm, 2027)) == 4
    with transaction():
        assert len(replanning.take_back(with_rhythm, 2027, actor=None, now=now)) == 4


def test_what_was_begun_by_hand_is_the_turn_it_is_near_to(quarterly: MailingList, now: datetime) -> None:
    december = begin(quarterly, now, "Winter special", date(2026, 12, 17), date(2026, 12, 11))
    january = begin(quarterly, now, "New year, new names", date(2027, 2, 4), date(2027, 1, 20))
    april = begin(quarterly, now, "Spring", None, date(2027, 4, 19))
    made = lay_out(quarterly, now)

    assert [issue.title for issue in made] == ["July 2027", "October 2027"]
    assert (january.planned_key, january.title) == ("2027-01-28", "New year, new names")
    assert january.deadline is not None
    assert january.deadline.day == date(2027, 1, 20)
    assert (april.planned_key, april.planned_at) == ("2027-04-29", None)
    assert december.planned_key is None
    # Moved far away, it is still January's turn.
    with transaction():
        replanning.move(
            january, planned_at=datetime(2027, 3, 11, 10, tzinfo=UTC), deadline=None, approval_on=None,
            actor=None, now=now,
        )  # fmt: skip
    assert lay_out(quarterly, now) == []


def test_a_turn_that_was_called_off_stays_so(quarterly: MailingList, now: datetime) -> None:
    july = lay_out(quarterly, now)[2]
    with transaction():
        scheduling.cancel_issue(july, reason="The team is away.", actor=None, now=now)

    assert lay_out(quarterly, now) == []


def test_a_correction_is_nobodys_turn(quarterly: MailingList, now: datetime) -> None:
    with transaction():
        issue = creating.create_issue(
            quarterly, title="Correction", planned_at=datetime(2027, 1, 29, 10, tzinfo=UTC), actor=None, now=now
        )
        for block in list(issue.blocks):
            if block.kind == "call":
                editing.delete_block(block, actor=None, now=now)

    assert len(lay_out(quarterly, now)) == 4


def test_turns_that_are_over_are_not_made(quarterly: MailingList) -> None:
    summer = datetime(2027, 7, 29, 9, 30, tzinfo=UTC)
    planned = planning.plan(quarterly, 2027, summer)

    assert [each.over for each in planned] == [True, True, True, False]
    assert [issue.title for issue in lay_out(quarterly, summer)] == ["October 2027"]


def test_issues_are_named_by_season_or_counted(quarterly: MailingList, now: datetime) -> None:
    def named(naming: IssueNaming) -> None:
        with transaction():
            cadence.choose(
                quarterly,
                Rhythm(PRESETS[1].rhythm.send_rule, PRESETS[1].rhythm.deadline_rule, naming=naming),
                actor=None, now=now,
            )  # fmt: skip

    named(IssueNaming.SEASON)
    assert [issue.title for issue in lay_out(quarterly, now)] == [
        "Spring 2027", "Summer 2027", "Autumn 2027", "Winter 2027"
    ]  # fmt: skip
    named(IssueNaming.NUMBER)
    counted = lay_out(quarterly, now, 2028, first_number=42)
    assert [(issue.title, issue.number) for issue in counted] == [
        ("Issue 42", 42), ("Issue 43", 43), ("Issue 44", 44), ("Issue 45", 45)
    ]  # fmt: skip
    assert lay_out(quarterly, now, 2029)[0].title == "Issue 46"


def test_the_next_issue_of_one_that_is_approved_is_left_to_people(app: Flask, now: datetime) -> None:
    d = desk(now)
    december = approved(d, now)
    with transaction():
        cadence.choose(d.mailing_list, THIRD_FRIDAY, actor=None, now=now)
    following, version = december.next_issue, december.content_version

    lay_out(d.mailing_list, now)

    assert (december.state, december.next_issue, december.content_version) == (
        IssueState.APPROVED, following, version
    )  # fmt: skip


@pytest.mark.parametrize("year", [2025, 2031])
def test_years_out_of_reach_are_refused(quarterly: MailingList, now: datetime, year: int) -> None:
    with pytest.raises(Refused, match="from 2026 to 2029"):
        lay_out(quarterly, now, year)


def test_a_list_without_a_rhythm_says_so(app: Flask, now: datetime) -> None:
    with pytest.raises(Refused, match="has no rhythm yet"):
        lay_out(people.larkmere(now), now)


def test_a_list_that_comes_as_things_happen_gets_no_rhythm(app: Flask, now: datetime) -> None:
    changes = people.policy_changes(now)
    with pytest.raises(Refused, match="as things happen"), transaction():
        cadence.choose(changes, THIRD_FRIDAY, actor=None, now=now)


def test_who_may_not_edit_lays_nothing_out(quarterly: MailingList, now: datetime) -> None:
    viewer = people.staff(now, "Vera Lunn", Role.VIEWER)
    with pytest.raises(NotAllowed), transaction():
        planning.lay_out(quarterly, 2027, actor=viewer, now=now)


def test_a_new_rhythm_finds_the_issues_of_the_old_one(quarterly: MailingList, now: datetime) -> None:
    made = lay_out(quarterly, now)
    with transaction():
        cadence.choose(
            quarterly, Rhythm("FREQ=YEARLY;BYMONTH=2,5,8,11;BYDAY=1TH", THIRD_FRIDAY.deadline_rule),
            actor=None, now=now,
        )  # fmt: skip

    assert lay_out(quarterly, now) == []
    assert made[0].planned_key == "2027-02-04"
    assert made[0].title == "January 2027"


# --- moving --------------------------------------------------------------------------------------------------------


def test_a_date_is_moved_and_the_approval_follows(quarterly: MailingList, now: datetime) -> None:
    january, april, *_ = lay_out(quarterly, now)
    version = january.content_version
    with transaction():
        replanning.move(
            april, planned_at=datetime(2027, 5, 6, 9, tzinfo=UTC),
            deadline=Deadline.of(date(2027, 4, 23), time(17), "Europe/London"),
            approval_on=date(2027, 4, 27), actor=None, now=now,
        )  # fmt: skip

    assert april.deadline is not None
    assert april.deadline.words == "5pm, Friday 23 April 2027"
    # Two working days before 6 May; the Monday between is a bank holiday, and not in the way.
    assert reviewing.approval_day(april) == date(2027, 5, 4)
    # January prints April's deadline: its words are new.
    assert january.content_version == version + 1
    with transaction():
        replanning.move(
            april, planned_at=datetime(2027, 5, 6, 9, tzinfo=UTC), deadline=None, approval_on=date(2027, 4, 30),
            actor=None, now=now,
        )  # fmt: skip
    assert reviewing.approval_day(april) == date(2027, 4, 30)


def test_an_order_that_cannot_be_is_refused(quarterly: MailingList, now: datetime) -> None:
    january = lay_out(quarterly, now)[0]
    with pytest.raises(Invalid) as caught, transaction():
        replanning.move(
            january, planned_at=datetime(2027, 1, 14, 10, tzinfo=UTC), deadline=None, approval_on=date(2027, 1, 15),
            actor=None, now=now,
        )  # fmt: skip
    assert [problem.field for problem in caught.value.problems] == ["deadline", "approval"]


def test_what_is_on_its_way_is_not_moved(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    with transaction():
        scheduling.schedule(issue, datetime(2026, 12, 14, 10, tzinfo=UTC), actor=d.ruth, now=now)
    with pytest.raises(Refused, match="scheduled"), transaction():
        replanning.move(
            issue, planned_at=datetime(2026, 12, 15, 10, tzinfo=UTC), deadline=None, approval_on=None,
            actor=d.ruth, now=now,
        )  # fmt: skip


# --- taking back ---------------------------------------------------------------------------------------------------


def test_what_nobody_began_with_is_taken_back(quarterly: MailingList, now: datetime) -> None:
    later = datetime(2026, 12, 8, 9, tzinfo=UTC)
    by_hand = begin(quarterly, now, "December 2026", date(2026, 12, 17), date(2026, 12, 11))
    made = lay_out(quarterly, now)
    assert by_hand.next_issue == made[0]
    with transaction():
        editing.add_block(made[1], "section", {"heading": "Practice week"}, actor=None, now=later)
    with transaction():
        names = replanning.take_back(quarterly, 2027, actor=None, now=later)

    assert names == ["January 2027", "July 2027", "October 2027"]
    assert titles(quarterly) == ["December 2026", "April 2027"]
    assert (by_hand.next_issue, made[1].next_issue) == (None, None)
    assert set(db.session.scalars(select(Block.issue_id))) == {by_hand.id, made[1].id}
    # What was taken back can be laid out again.
    assert [issue.title for issue in lay_out(quarterly, later)] == ["January 2027", "July 2027", "October 2027"]


def test_an_empty_issue_that_somebody_began_by_hand_is_not_taken_back(quarterly: MailingList, now: datetime) -> None:
    lay_out(quarterly, now)
    with transaction():
        replanning.take_back(quarterly, 2027, actor=None, now=now)
    later = datetime(2026, 12, 9, 9, tzinfo=UTC)
    # It may get the very number of one that was taken back.
    by_hand = begin(quarterly, later, "Spring", date(2027, 4, 29), date(2027, 4, 16))
    lay_out(quarterly, later)

    assert by_hand not in replanning.untouched(quarterly, 2027)
    assert len(replanning.untouched(quarterly, 2027)) == 3


def test_nothing_is_taken_back_that_people_have_read(quarterly: MailingList, now: datetime) -> None:
    made = lay_out(quarterly, now)
    with transaction():
        made[0].call_opened_at = now
        replanning.move(
            made[1], planned_at=datetime(2027, 5, 6, 9, tzinfo=UTC), deadline=None, approval_on=None,
            actor=None, now=datetime(2026, 12, 8, 9, tzinfo=UTC),
        )  # fmt: skip
    assert [issue.title for issue in replanning.untouched(quarterly, 2027)] == ["July 2027", "October 2027"]
    with pytest.raises(Refused, match="Somebody has begun"), transaction():
        replanning.take_back(quarterly, 2028, actor=None, now=now)
