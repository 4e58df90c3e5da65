"""A call is opened, people are reminded by working days, and nobody gets the same mail twice."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.delivery.notices.notice_values import NoLongerNeeded, values_of
from newsletter.domain.calls.decisions import settling, triage
from newsletter.domain.calls.decisions.triage import Mail
from newsletter.domain.calls.handing_in import drafting, withdrawing
from newsletter.domain.calls.reminding import answering, chase_rows, chasing, concerned, digest, extending, opening
from newsletter.domain.calls.reminding.board import board
from newsletter.domain.calls.reminding.concerned import Standing
from newsletter.domain.issues import creating
from newsletter.domain.subscribers import suppressing
from newsletter.errors import Invalid, NotAllowed, Refused
from newsletter.models import Account, Activity, CadenceRule, Issue, MailingList, Notice
from newsletter.rendering.notices import NoticeFrame, compose
from newsletter.states import ContributionState, IssueState, NoticeState, Role, SuppressionReason
from tests import people
from tests.domain import call_makers as make

OPENED = datetime(2017, 11, 6, 10, 0, tzinfo=UTC)
FRIDAY = make.deadline(date(2017, 11, 24))


def morning(day: int, hour: int = 9) -> datetime:
    return datetime(2017, 11, day, hour, 0, tzinfo=UTC)


def tick(issue: Issue, now: datetime) -> int:
    with transaction():
        return chasing.chase(db.session.get_one(Issue, issue.id), now)


def open_call(issue: Issue, actor: Account | None = None, now: datetime = OPENED) -> int:
    with transaction():
        return opening.open_the_call(issue, actor=actor, now=now)


@pytest.fixture
def ruth(app: Flask) -> Account:
    return make.partnership(OPENED)[1]


@pytest.fixture
def december(ruth: Account) -> Issue:
    """Four agencies; the deadline is 5pm, Friday 24 November 2017. Reminders: 6, 21 and 23 November."""
    return make.call(db.session.query(MailingList).one(), OPENED, FRIDAY)


@pytest.fixture
def opened(december: Issue, ruth: Account) -> Issue:
    """Its call was opened on 2 November, and the invitations are gone."""
    open_call(december, ruth, datetime(2017, 11, 2, 10, 0, tzinfo=UTC))
    make.forget_mails()
    return december


def test_opening_invites_everybody_once(december: Issue, ruth: Account) -> None:
    assert open_call(december, ruth) == 4
    assert make.to("call_invitation") == ["cara", "helen", "nadia", "sam"]
    assert december.call_opened_at == OPENED

    assert open_call(december, ruth, OPENED + timedelta(seconds=1)) == 0
    make.contributor("Tom Ashby", OPENED)
    assert open_call(december, ruth, OPENED + timedelta(days=1)) == 1
    assert make.to("call_invitation") == ["cara", "helen", "nadia", "sam", "tom"]
    assert december.call_opened_at == OPENED


def test_an_invitation_says_until_when_and_has_the_one_click(december: Issue) -> None:
    open_call(december)
    notice = db.session.query(Notice).filter_by(address="sam@example.org").one()

    values = values_of(notice, OPENED)

    assert values["deadline"] == "5pm, Friday 24 November 2017 (UK time)"
    assert values["url"] == "https://news.example.org/contribute/december-2017"
    assert values["nothing_url"].startswith("https://news.example.org/contribute/december-2017/nothing/")
    with pytest.raises(NoLongerNeeded):
        values_of(notice, FRIDAY.closes_at)


def test_ended_and_suppressed_people_get_nothing(december: Issue, now: datetime) -> None:
    with transaction():
        make.person("Sam").ended_at = OPENED
        make.person("Nadia").approved_at = None
        suppressing.suppress("helen@example.org", SuppressionReason.BOUNCED, now=OPENED)
    assert open_call(december) == 1
    assert make.to("call_invitation") == ["cara"]


def test_a_call_that_is_over_cannot_be_opened_and_not_by_everybody(december: Issue) -> None:
    viewer = people.staff(OPENED, "Vera Holt", Role.VIEWER)
    with pytest.raises(NotAllowed):
        open_call(december, viewer)
    with pytest.raises(Refused, match="deadline has passed"):
        open_call(december, None, FRIDAY.closes_at)


def test_reminders_go_to_the_silent_and_in_other_words_to_those_with_drafts(opened: Issue) -> None:
    make.sent(opened, OPENED, make.person("Cara"))
    make.piece(opened, OPENED, make.person("Nadia"))
    with transaction():
        answering.say_nothing(opened, make.agency_of("Helen"), contributor=make.person("Helen"), now=OPENED)

    assert tick(opened, morning(21)) == 2
    assert make.mails() == [("call_last_call", "nadia"), ("call_reminder", "sam")]
    assert tick(opened, morning(21, 15)) == 0
    assert tick(opened, morning(22)) == 0
    assert tick(opened, morning(23)) == 2
    assert tick(opened, morning(24)) == 0


def test_working_days_leave_weekends_and_bank_holidays_out(december: Issue) -> None:
    with transaction():
        december.deadline = make.deadline(date(2018, 1, 3))

    assert chasing.reminder_days(december) == [
        (14, date(2017, 12, 11)), (3, date(2017, 12, 28)), (1, date(2018, 1, 2))
    ]  # fmt: skip


def test_the_lists_own_days_are_used(opened: Issue) -> None:
    with transaction() as session:
        session.add(
            CadenceRule(
                list_id=opened.list_id, send_rule="", send_time=time(10), deadline_rule="", deadline_time=time(17),
                reminder_days=[5, 2], updated_at=OPENED,
            )
        )  # fmt: skip
    assert [tick(opened, morning(day)) for day in (16, 17, 20, 21, 22, 23)] == [0, 4, 0, 0, 4, 0]


def test_nobody_is_reminded_in_the_night(opened: Issue) -> None:
    assert tick(opened, morning(21, 3)) == 0
    assert tick(opened, morning(21, 8)) == 4


@pytest.mark.parametrize(("wakes", "sends"), [(22, 4), (23, 4), (24, 4)])
def test_a_scheduler_that_slept_sends_the_nearest_reminder_once(opened: Issue, wakes: int, sends: int) -> None:
    assert tick(opened, morning(wakes)) == sends
    assert tick(opened, morning(wakes, 10)) == 0


def test_nothing_is_made_good_once_the_deadline_has_passed(opened: Issue) -> None:
    assert tick(opened, FRIDAY.closes_at) == 0
    assert tick(opened, morning(27)) == 0


def test_a_call_that_nobody_opened_or_that_is_given_up_reminds_nobody(december: Issue) -> None:
    assert tick(december, morning(21)) == 0
    open_call(december)
    with transaction():
        december.state, december.cancelled_at = IssueState.CANCELLED, OPENED
    make.forget_mails()
    assert tick(december, morning(21)) == 0


def test_who_was_invited_today_is_not_reminded_today(december: Issue) -> None:
    open_call(december, None, morning(21, 8))
    assert tick(december, morning(21)) == 0
    assert tick(december, morning(22)) == 0
    assert tick(december, morning(23)) == 4


def test_a_colleague_of_somebody_who_is_in_is_left_in_peace_but_for_a_draft(opened: Issue) -> None:
    police = make.agency_of("Sam")
    kim, lee = make.contributor("Kim Ward", OPENED, police), make.contributor("Lee Barton", OPENED, police)
    make.sent(opened, OPENED, make.person("Sam"))
    make.piece(opened, OPENED, kim)

    tick(opened, morning(21))

    assert kim.name.startswith("Kim")
    assert make.to("call_last_call") == ["kim"]
    assert lee.address.split("@")[0] not in make.to("call_reminder")


def test_who_has_time_of_their_own_is_reminded_of_that(opened: Issue, ruth: Account) -> None:
    with transaction():
        extending.give(
            opened, make.deadline(date(2017, 11, 29), time(12)), contributor=make.person("Sam"), actor=ruth,
            now=morning(20),
        )  # fmt: skip
    make.forget_mails()

    tick(opened, morning(21))
    assert "sam" not in make.to("call_reminder")
    tick(opened, morning(27))
    assert make.to("more_time_ends") == []
    tick(opened, morning(28))
    tick(opened, morning(28, 10))
    assert make.to("more_time_ends") == ["sam"]


def test_when_it_closes_who_has_a_draft_hears_that_it_is_saved(opened: Issue) -> None:
    make.piece(opened, OPENED, make.person("Nadia"))
    make.piece(opened, OPENED)
    make.piece(opened, OPENED, contact_address="nobody@example.org", proved_at=None)
    make.piece(opened, OPENED, make.person("Helen"), late=True)

    assert tick(opened, FRIDAY.closes_at + timedelta(minutes=14)) == 0
    assert tick(opened, FRIDAY.grace_ends_at) == 2
    assert make.to("call_closed") == ["nadia", "tom"]
    assert tick(opened, FRIDAY.grace_ends_at + timedelta(minutes=5)) == 0
    notice = db.session.query(Notice).filter_by(address="nadia@example.org").one()
    values = values_of(notice, FRIDAY.grace_ends_at)
    assert values["titles"] == ["One number for domestic abuse"]
    assert values["url"].endswith("/more-time")


def test_their_own_time_ends_too(opened: Issue, ruth: Account) -> None:
    make.piece(opened, OPENED, make.person("Nadia"))
    monday = make.deadline(date(2017, 11, 27), time(12))
    with transaction():
        extending.give(opened, monday, contributor=make.person("Nadia"), actor=ruth, now=morning(23))
    make.forget_mails()

    tick(opened, FRIDAY.grace_ends_at)
    assert tick(opened, monday.closes_at) == 0
    assert make.mails() == [("more_time_ends", "nadia")]
    assert tick(opened, monday.grace_ends_at) == 1
    assert make.to("call_closed") == ["nadia"]
    assert tick(opened, monday.grace_ends_at + timedelta(minutes=5)) == 0


# --- a deadline that moves ---------------------------------------------------------------------------------------


def move(issue: Issue, day: date, now: datetime, confirmation: str = "", at: time = time(17)) -> None:
    with transaction():
        creating.change_deadline(
            issue, make.deadline(day, at), confirmation=confirmation, actor=None, now=now
        )  # fmt: skip


def test_a_later_deadline_is_told_to_who_is_not_in_and_makes_nobody_late(opened: Issue) -> None:
    cara = make.sent(opened, OPENED, make.person("Cara"))
    make.piece(opened, OPENED, make.person("Nadia"))

    move(opened, date(2017, 11, 28), morning(20))

    assert make.to("call_moved") == ["helen", "nadia", "sam"]
    notice = db.session.query(Notice).filter_by(address="sam@example.org").one()
    assert notice.next_attempt_at == morning(20) + timedelta(minutes=10)
    values = values_of(notice, morning(20))
    assert values["deadline"].startswith("5pm, Tuesday 28 November 2017")
    assert values["was"].startswith("5pm, Friday 24 November 2017")
    assert not cara.late


def test_a_slip_that_is_put_right_at_once_is_told_to_nobody(opened: Issue) -> None:
    """Nobody was told the later day, so nothing has to be typed."""
    move(opened, date(2017, 11, 28), morning(20))
    move(opened, date(2017, 11, 24), morning(20) + timedelta(minutes=2))

    waiting = [notice for notice in db.session.query(Notice).all() if notice.state.value == "queued"]
    assert waiting == []
    assert [row.kind.value for row in chase_rows.rows_of(opened)] == ["invitation"] * 4


def test_what_must_be_typed_counts_who_was_really_told(opened: Issue) -> None:
    """Cara is in, and hears of no move; while the mails of a move wait, people know the day before it."""
    make.sent(opened, OPENED, make.person("Cara"))
    move(opened, date(2017, 11, 28), morning(20))
    earlier = date(2017, 11, 22)
    with pytest.raises(Invalid, match=r"^4 people were told 24 November 2017\. "):
        move(opened, earlier, morning(20) + timedelta(minutes=2))
    for notice in db.session.query(Notice).filter_by(template="call_moved"):
        notice.state, notice.accepted_at = NoticeState.ACCEPTED, morning(20)
    db.session.commit()
    with pytest.raises(Invalid, match=r"^3 people were told 28 November 2017\. "):
        move(opened, date(2017, 11, 24), morning(21))
    with pytest.raises(Invalid, match=r"^3 people were told 28 November 2017\. "):
        move(opened, earlier, morning(21))


def test_who_may_not_approve_hears_who_may(opened: Issue, ruth: Account) -> None:
    people.staff(OPENED, "Ewan Marsh", Role.APPROVER)
    people.staff(OPENED, "Irene Walsh", Role.ADMIN)
    with pytest.raises(NotAllowed, match=r"forward\. Ask Ewan Marsh or Irene Walsh\."), transaction():
        creating.change_deadline(opened, make.deadline(date(2017, 11, 22)), actor=ruth, now=OPENED)


def test_a_moved_deadline_has_reminders_of_its_own(opened: Issue) -> None:
    assert tick(opened, morning(21)) == 4
    move(opened, date(2017, 12, 8), morning(22))
    make.forget_mails()

    assert [tick(opened, datetime(2017, 12, day, 9, tzinfo=UTC)) for day in (4, 5, 6, 7)] == [0, 4, 0, 4]


def test_a_deadline_that_is_brought_forward_takes_no_promise_back(opened: Issue) -> None:
    cara = make.sent(opened, OPENED, make.person("Cara"))
    move(opened, date(2017, 11, 22), morning(20), "4 people were told 24 November 2017")

    assert cara.edit_until == FRIDAY.instant
    assert not cara.late


def test_an_earlier_deadline_is_told_to_who_is_in_as_well_but_for_who_has_nothing(opened: Issue) -> None:
    """Whoever has sent something may have more to send, and plans by the old day."""
    make.sent(opened, OPENED, make.person("Cara"))
    with transaction():
        answering.say_nothing(opened, make.agency_of("Helen"), contributor=make.person("Helen"), now=OPENED)
    move(opened, date(2017, 11, 22), morning(20), "4 people were told 24 November 2017")

    assert make.to("call_moved") == ["cara", "nadia", "sam"]
    notices = {notice.address: notice for notice in db.session.query(Notice).filter_by(template="call_moved")}
    values = values_of(notices["cara@example.org"], morning(20))
    assert (values["is_in"], values["was"]) == (True, "5pm, Friday 24 November 2017")
    assert "What you have sent us is in." in compose("call_moved", values, NoticeFrame("News", "Larkmere"))[1]
    values = values_of(notices["sam@example.org"], morning(20))
    assert "What you have sent us is in." not in compose("call_moved", values, NoticeFrame("News", "Larkmere"))[1]


def test_who_is_in_hears_nothing_of_a_slip(opened: Issue) -> None:
    """Cara was never told the later day: put back, nothing has changed for her; brought forward, it is one move."""
    make.sent(opened, OPENED, make.person("Cara"))
    move(opened, date(2017, 11, 28), morning(20))
    move(opened, date(2017, 11, 24), morning(20) + timedelta(minutes=2))
    assert "cara" not in make.to("call_moved")

    told = "4 people were told 24 November 2017"
    move(opened, date(2017, 11, 21), morning(20) + timedelta(minutes=3), told)
    move(opened, date(2017, 11, 22), morning(20) + timedelta(minutes=4), told)
    waiting = db.session.query(Notice).filter_by(template="call_moved", state=NoticeState.QUEUED)
    assert {each.address: each.values["was"] for each in waiting} == dict.fromkeys(
        ("cara@example.org", "helen@example.org", "nadia@example.org", "sam@example.org"),
        "5pm, Friday 24 November 2017",
    )


# --- "remind now", the board, the digest ---------------------------------------------------------------------------


def remind_now(issue: Issue, name: str, now: datetime) -> int:
    party = next(each for each in concerned.parties(issue) if each.name == name)
    with transaction():
        return chasing.remind_now(issue, party, actor=None, now=now)


def test_one_agency_is_reminded_at_once_and_once_a_day(opened: Issue) -> None:
    assert remind_now(opened, "Larkmere Police", morning(14)) == 1
    with pytest.raises(Refused, match="already"):
        remind_now(opened, "Larkmere Police", morning(14, 16))
    assert remind_now(opened, "Larkmere Police", morning(15)) == 1
    make.sent(opened, OPENED, make.person("Sam"))
    with pytest.raises(Refused, match="nobody to remind"):
        remind_now(opened, "Larkmere Police", morning(16))
    with pytest.raises(Refused, match="passed"):
        remind_now(opened, "Fern Valley NHS", FRIDAY.closes_at)


def test_who_was_reminded_by_hand_is_not_reminded_by_itself_that_day(opened: Issue) -> None:
    remind_now(opened, "Larkmere Police", morning(21, 8))
    assert tick(opened, morning(21)) == 3


def test_the_board_tells_where_each_stands(opened: Issue) -> None:
    make.sent(opened, OPENED, make.person("Cara"))
    make.piece(opened, OPENED, make.person("Nadia"))
    helen = make.person("Helen")
    with transaction():
        answering.say_nothing(opened, make.agency_of("Helen"), contributor=helen, now=OPENED)
    tick(opened, morning(21))

    found = board(opened)

    assert {row.name: row.standing for row in found.rows} == {
        "Council audit team": Standing.IN, "Fern Valley NHS": Standing.WRITING,
        "Larkmere Police": Standing.SILENT, "The Harbour School": Standing.NOTHING,
    }  # fmt: skip
    [police] = found.lane(Standing.SILENT)
    assert [mail.kind.value for mail in police.mailed] == ["invitation", "reminder"]
    assert [row.drafts for row in found.lane(Standing.WRITING)] == [1]


def test_an_agency_takes_nothing_this_time_back(opened: Issue, ruth: Account) -> None:
    helen = make.person("Helen")
    for _twice in range(2):
        with transaction():
            answering.say_nothing(opened, make.agency_of("Helen"), contributor=helen, now=OPENED)
    with transaction():
        answering.take_back(opened, make.agency_of("Helen"), actor=ruth, now=OPENED)
    assert board(opened).lane(Standing.NOTHING) == []
    recorded = [row.action for row in db.session.query(Activity).filter(Activity.action.startswith("agency."))]
    assert recorded == ["agency.nothing", "agency.nothing_taken_back"]
    with pytest.raises(NotAllowed), transaction():
        answering.say_nothing(opened, make.agency_of("Sam"), contributor=helen, now=OPENED)


def test_without_agencies_people_stand_for_themselves(december: Issue) -> None:
    with transaction():
        december.mailing_list.uses_agencies = False
    make.sent(december, OPENED, make.person("Cara"))
    found = board(december)
    assert [row.name for row in found.lane(Standing.IN)] == ["Cara Lindqvist"]
    assert len(found.lane(Standing.SILENT)) == 3


def digests(issue: Issue, now: datetime) -> int:
    with transaction():
        return digest.send_digest(db.session.get_one(MailingList, issue.list_id), now)


def test_editors_get_one_mail_a_morning_and_only_where_something_came(opened: Issue, ruth: Account) -> None:
    assert digests(opened, morning(14)) == 0
    make.sent(opened, morning(14, 12), make.person("Cara"))
    make.sent(opened, morning(14, 13), make.person("Sam"))
    make.piece(opened, morning(14, 14), state=ContributionState.SUBMITTED, submitted_at=morning(14, 14),
               proved_at=None, prove_by=morning(15))  # fmt: skip
    with transaction():
        extending.ask(opened, contributor=make.person("Nadia"), reason="Our manager is away.", now=morning(14, 15))

    assert digests(opened, morning(15, 7)) == 0
    assert digests(opened, morning(15, 8)) == 1
    assert digests(opened, morning(15, 9)) == 0
    assert digests(opened, morning(16)) == 0
    notice = db.session.query(Notice).filter_by(template="call_digest").one()
    assert notice.address == ruth.email
    assert values_of(notice, morning(15))["lines"] == [
        "December 2017: 2 contributions came in",
        "December 2017: 1 from an address that is not proved yet",
        "December 2017: 1 asks for more time",
    ]


def test_the_morning_mail_says_what_came_back_changed_and_what_was_taken_back(opened: Issue, ruth: Account) -> None:
    """Each once; nothing of a draft that nobody else has read, nor of what an editor has taken out."""
    handed_in = {"state": ContributionState.SUBMITTED, "submitted_at": morning(13), "agency": "Larkmere"}
    sam, nadia, cara, helen = (
        make.piece(opened, morning(13), make.person(name), contact_name=name, **handed_in)
        for name in ("Sam", "Nadia", "Cara", "Helen")
    )
    draft = make.piece(opened, morning(13), make.person("Helen"))
    assert digests(opened, morning(14)) == 1
    quiet, wish = Mail(send=False), Mail("Say for whom it is.")
    with transaction():
        for one in (sam, nadia):
            triage.request_changes(one, make.deadline(date(2017, 11, 22)), mail=wish, actor=ruth, now=morning(14))
        triage.place(helen, mail=quiet, actor=ruth, now=morning(14))
        withdrawing.ask(helen, "One school asks not to be named.", now=morning(14, 10))
        settling.take_out(helen, mail=quiet, actor=ruth, now=morning(14, 11))
        for one in (draft, cara, nadia):
            withdrawing.withdraw(one, now=morning(14, 12))
        drafting.submit(sam, expected=sam.revision, declared=True, now=morning(14, 13))

    assert [digests(opened, morning(day)) for day in (15, 16)] == [1, 0]
    newest = db.session.query(Notice).filter_by(template="call_digest").order_by(Notice.id.desc()).first()
    assert newest is not None
    assert values_of(newest, morning(15))["lines"] == [
        "December 2017: 1 came back changed",
        "December 2017: 2 were taken back by their senders",
    ]


def test_changes_that_come_too_late_are_in_the_morning_mail(opened: Issue, ruth: Account) -> None:
    sam = make.piece(
        opened, morning(13), make.person("Sam"), contact_name="Sam", agency="Larkmere",
        state=ContributionState.SUBMITTED, submitted_at=morning(13),
    )  # fmt: skip
    digests(opened, morning(14))
    with transaction():
        until, wish = make.deadline(date(2017, 11, 24), time(17)), Mail("Say for whom it is.")
        triage.request_changes(sam, until, mail=wish, actor=ruth, now=morning(14))
    digests(opened, morning(25, 8))
    with transaction():
        drafting.submit(sam, expected=sam.revision, declared=True, now=morning(25))

    assert digests(opened, morning(26)) == 1
    newest = db.session.query(Notice).filter_by(template="call_digest").order_by(Notice.id.desc()).first()
    assert newest is not None
    assert values_of(newest, morning(26))["lines"] == ["December 2017: 1 came after the deadline"]


def test_what_comes_during_the_day_waits_for_the_morning(opened: Issue, ruth: Account) -> None:
    make.sent(opened, morning(14, 12), make.person("Cara"))
    assert digests(opened, morning(14, 13)) == 0
    # A scheduler that stood still sends it later, and what came since then waits, too.
    make.sent(opened, morning(15, 9), make.person("Sam"))
    assert digests(opened, morning(15, 10)) == 1
    assert digests(opened, morning(15, 17)) == 0
    assert digests(opened, morning(16)) == 1
    lines = [
        values_of(each, morning(16))["lines"] for each in db.session.query(Notice).filter_by(template="call_digest")
    ]
    assert lines == [["December 2017: 1 contribution came in"]] * 2


def test_the_morning_after_the_deadline_the_digest_says_so(opened: Issue) -> None:
    make.sent(opened, OPENED, make.person("Cara"))
    make.piece(opened, FRIDAY.grace_ends_at, make.person("Sam"), late=True)

    assert digests(opened, morning(25)) == 1
    lines = values_of(db.session.query(Notice).filter_by(template="call_digest").one(), morning(25))["lines"]
    assert lines[0] == "December 2017: the call has closed, with 1 in"
    assert "December 2017: 1 came after the deadline" in lines
