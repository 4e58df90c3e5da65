"""Editors decide on what was sent in; the sender hears of the last decision, once, and no text is lost."""

import email
import email.policy
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.delivery.notices.notice_values import NoLongerNeeded, values_of
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.calls.deadline import rights
from newsletter.domain.calls.decisions import deciding, merging, outcomes, placing, replying, triage
from newsletter.domain.calls.decisions.triage import Mail
from newsletter.domain.issues import creating, editing
from newsletter.domain.subscribers import suppressing
from newsletter.errors import Invalid, NotAllowed, Refused
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Account, Activity, Block, Contribution, Extension, Issue, Notice
from newsletter.states import (
    ContributionState,
    ExtensionState,
    IssueState,
    NoticeState,
    Role,
    SuppressionReason,
)
from tests import people
from tests.contributions import late, sent_in


@pytest.fixture
def january(app: Flask, now: datetime) -> Issue:
    """January 2027, planned for 28 January; its deadline is 5pm, Friday 15 January 2027. April follows."""
    mailing_list = people.larkmere(now)
    with transaction():
        issue = creating.create_issue(
            mailing_list,
            title="January 2027",
            planned_at=datetime.fromisoformat("2027-01-28T10:00+00:00"),
            deadline=Deadline.of(date(2027, 1, 15), time(17), "Europe/London"),
            actor=None,
            now=now,
        )
        creating.ensure_next_issue(
            issue,
            title="April 2027",
            deadline=Deadline.of(date(2027, 4, 16), time(17), "Europe/London"),
            actor=None,
            now=now,
        )
    return issue


@pytest.fixture
def april(january: Issue) -> Issue:
    assert january.next_issue is not None
    return january.next_issue


@pytest.fixture
def ruth(january: Issue, now: datetime) -> Account:
    return people.staff(now)


def mails() -> list[tuple[str, str]]:
    """Template and state of every mail, oldest first."""
    rows = db.session.execute(select(Notice.template, Notice.state).order_by(Notice.id))
    return [(template, state.value) for template, state in rows]


def sections(issue: Issue) -> list[str]:
    return [str(each.data.get("heading")) for each in editing.live_blocks(issue) if each.contribution_id]


# --- accept ------------------------------------------------------------------------------------------------------


def test_accepted_it_is_a_section_of_its_own(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now)
    with transaction():
        block = triage.place(news, actor=ruth, now=now)

    kinds = [each.kind for each in editing.live_blocks(january)]
    assert kinds == ["masthead", "in_this_issue", "key_dates", "section", "call", "footer"]
    assert block.contribution_id == news.id
    assert (block.data["heading"], block.data["source_agency"]) == ("Peer mentors", "Oakfield School")
    assert block.data["body"].endswith("<ul><li>two for each year</li><li>one for staff</li></ul>")
    assert (news.state, news.decided_by_id) == (ContributionState.ACCEPTED, ruth.id)
    with transaction():
        editing.edit_block(block, {**block.data, "body": "<p>Short.</p>"}, expected_version=1, actor=ruth, now=now)
    assert news.body.startswith("Oakfield has trained twelve mentors.")


def test_its_own_fields_become_its_own_kind_of_section(january: Issue, now: datetime) -> None:
    found = {"heading": "Practice week", "items": [{"subheading": "Drift", "text": "<p>Plans.</p>"}] * 2}
    news = sent_in(january, now, "Practice week", kind="findings", data=found)
    with transaction():
        block = triage.place(news, actor=None, now=now)

    assert block.kind == "findings"
    assert [each["subheading"] for each in block.data["items"]] == ["Drift", "Drift"]


def test_dates_join_an_issue_that_has_its_dates_already(january: Issue, now: datetime) -> None:
    """There is one “Key dates” in an issue, made of everybody's; what one agency sends becomes a section."""
    rows = {"manual": [{"date": "2027-02-03", "what": "Forum"}]}
    news = sent_in(january, now, "Dates", kind="key_dates", data=rows, body="3 February 2027: Forum")
    with transaction():
        block = triage.place(news, actor=None, now=now)

    assert (block.kind, block.data["body"]) == ("section", "<p>3 February 2027: Forum</p>")


def test_a_late_one_is_taken_in_and_the_record_says_by_whom(january: Issue, ruth: Account, now: datetime) -> None:
    news = late(january, now)
    with transaction():
        triage.place(news, actor=ruth, now=now)

    assert (news.state, news.late, news.submitted_at) == (ContributionState.ACCEPTED, True, now)
    entry = db.session.scalars(select(Activity).where(Activity.action == "contribution.accepted")).one()
    assert (entry.actor_name, entry.detail["late"]) == ("Ruth Adeyemi", True)


def test_one_that_nobody_proved_is_read_by_an_editors_word(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now, proved_at=None, prove_by=now + timedelta(hours=24))
    with transaction():
        triage.take_in(news, actor=ruth, now=now)
        triage.take_in(news, actor=ruth, now=now + timedelta(minutes=1))

    assert news.proved_at == now
    entry = db.session.scalars(select(Activity).where(Activity.action == "contribution.taken_in_unproved")).one()
    assert entry.actor_name == "Ruth Adeyemi"


def test_a_private_draft_is_nobodys_to_decide_on(january: Issue, now: datetime) -> None:
    draft = sent_in(january, now, state=ContributionState.DRAFT, submitted_at=None)
    with pytest.raises(Refused, match="not sent in"), transaction():
        triage.place(draft, actor=None, now=now)


def test_a_withdrawn_one_is_left_alone(january: Issue, now: datetime) -> None:
    news = sent_in(january, now, state=ContributionState.WITHDRAWN, withdrawn_at=now)
    with pytest.raises(Refused, match="It is withdrawn"), transaction():
        triage.place(news, actor=None, now=now)
    assert sections(january) == []


def test_a_viewer_may_not_decide(january: Issue, now: datetime) -> None:
    viewer = people.staff(now, "Vi Hart", Role.VIEWER)
    news = sent_in(january, now)
    with pytest.raises(NotAllowed), transaction():
        triage.decline(news, "No.", actor=viewer, now=now)


def test_two_editors_at_once_are_one_decision(january: Issue, ruth: Account, now: datetime) -> None:
    ewan = people.staff(now, "Ewan Marsh")
    news = sent_in(january, now)
    both_saw = triage.token(news)
    with transaction():
        triage.decline(news, "We wrote about it in September.", seen=both_saw, actor=ruth, now=now)
    with pytest.raises(Refused, match=r"It is declined\. Somebody was quicker\."), transaction():
        triage.place(news, seen=both_saw, actor=ewan, now=now)
    with pytest.raises(Refused, match="Somebody was quicker"), transaction():
        triage.place(news, actor=ewan, now=now)

    assert sections(january) == []
    assert [template for template, _state in mails()] == ["contribution_declined"]


def test_what_its_sender_changed_meanwhile_is_read_again_first(january: Issue, now: datetime) -> None:
    news = sent_in(january, now)
    seen = triage.token(news)
    with transaction():
        news.revision, news.body = 2, "Thirteen mentors."
    with pytest.raises(Refused, match="Its sender changed it while you were reading"), transaction():
        triage.place(news, seen=seen, actor=None, now=now)


# --- what its sender hears ---------------------------------------------------------------------------------------


def test_the_mail_waits_ten_minutes_and_says_what_the_editor_wrote(
    january: Issue, ruth: Account, now: datetime, relay: MemoryRelay
) -> None:
    news = sent_in(january, now)
    words = "Hello Helen,\n\nIt goes in <second>, below the chapters.\n\nRuth"
    with transaction():
        triage.place(news, mail=Mail(words), actor=ruth, now=now)

    assert deliver_notices(now + timedelta(minutes=9)) == 0
    assert deliver_notices(now + timedelta(minutes=10)) == 1
    message = email.message_from_bytes(relay.accepted[0].message, policy=email.policy.default)
    text, html = (message.get_body([kind]).get_content() for kind in ("plain", "html"))
    assert message["Subject"] == "Your news goes into Safeguarding news, January 2027 (TEST-0002)"
    assert "It goes in <second>, below the chapters." in text
    assert "It goes in &lt;second&gt;, below the chapters." in html
    assert "The issue is planned for Thursday 28 January 2027." in text


def test_a_change_of_mind_sends_the_last_mail_only(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now)
    with transaction():
        triage.place(news, actor=ruth, now=now)
    with transaction():
        triage.decline(
            news, "Ashbury sent the same.", seen=triage.token(news), actor=ruth, now=now + timedelta(minutes=5)
        )

    assert mails() == [("contribution_accepted", "dropped"), ("contribution_declined", "queued")]
    assert sections(january) == []
    assert news.state is ContributionState.DECLINED
    assert deliver_notices(now + timedelta(minutes=15)) == 1


def test_once_the_mail_has_left_a_second_thought_is_a_second_mail(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now)
    with transaction():
        triage.decline(news, "No room.", actor=ruth, now=now)
    deliver_notices(now + timedelta(minutes=11))
    with transaction():
        triage.reopen(news, actor=ruth, now=now + timedelta(minutes=20))

    assert mails() == [("contribution_declined", "accepted"), ("contribution_reopened", "queued")]
    assert (news.state, news.decision_note, news.decided_at) == (ContributionState.SUBMITTED, "", None)


def test_taken_back_before_it_left_nobody_hears_a_word(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now)
    with transaction():
        triage.place(news, actor=ruth, now=now)
    with transaction():
        triage.reopen(news, actor=ruth, now=now + timedelta(minutes=2))

    assert mails() == [("contribution_accepted", "dropped")]
    assert sections(january) == []
    bin_ = editing.deleted_blocks(january)
    assert [block.data["heading"] for block in bin_] == ["Peer mentors"]
    with transaction():
        editing.undo_delete(bin_[0], actor=ruth, now=now)
    assert placing.section_of(news) is None, "what is brought back is the editors' own"


def test_a_mail_in_hand_is_not_called_back(january: Issue, now: datetime) -> None:
    news = sent_in(january, now)
    with transaction():
        triage.place(news, actor=None, now=now)
        notice = db.session.scalars(select(Notice)).one()
        notice.claimed_by = "somebody"
    with transaction():
        assert outcomes.call_back(news) is False
    assert notice.state is NoticeState.QUEUED


def test_declining_needs_a_reason_for_whoever_is_told(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now)
    bare = outcomes.suggested(outcomes.Decision.DECLINED, news, actor=ruth)
    for mail in (Mail(), Mail(f"  {bare}\n")):
        with pytest.raises(Invalid, match="Say why"), transaction():
            triage.decline(news, mail=mail, actor=ruth, now=now)
    with transaction():
        triage.decline(news, mail=Mail(send=False), actor=ruth, now=now)
    assert (news.state, mails()) == (ContributionState.DECLINED, [])


def test_whoever_wants_none_of_our_mail_gets_none(january: Issue, now: datetime) -> None:
    with transaction():
        suppressing.suppress("helen@example.org", SuppressionReason.NOT_ME, now=now)
    news, erased = sent_in(january, now), sent_in(january, now, contact_address="", contact_name="")
    with transaction():
        triage.place(news, actor=None, now=now)
        triage.place(erased, actor=None, now=now)
    assert mails() == []
    assert sections(january) == ["Peer mentors", "Peer mentors"]


# --- ask for changes ---------------------------------------------------------------------------------------------

REPLY_BY = Deadline.of(date(2027, 1, 20), time(12), "Europe/London")


def test_asking_for_changes_gives_time_of_their_own(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now)
    with transaction():
        triage.request_changes(news, REPLY_BY, mail=Mail(why="Who can they ask?"), actor=ruth, now=now)

    notice = db.session.scalars(select(Notice)).one()
    values = values_of(notice, now)
    assert news.state is ContributionState.CHANGES_REQUESTED
    assert values["until"] == "noon, Wednesday 20 January 2027 (UK time)"
    assert "Who can they ask?" in values["words"]
    after_the_call = datetime.fromisoformat("2027-01-20T11:00+00:00")
    assert rights.right(january, after_the_call, after_the_call, contribution=news).counts
    other = sent_in(january, now, "Another")
    assert not rights.right(january, after_the_call, after_the_call, contribution=other).counts


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        (Deadline.of(date(2026, 12, 1), time(12), "Europe/London"), "at least two hours"),
        (Deadline.of(date(2027, 1, 29), time(12), "Europe/London"), "The issue goes out at"),
    ],
)
def test_the_time_to_reply_by_is_one_that_helps(january: Issue, now: datetime, until: Deadline, sentence: str) -> None:
    news = sent_in(january, now)
    with pytest.raises(Invalid, match=sentence), transaction():
        triage.request_changes(news, until, mail=Mail(why="More."), actor=None, now=now)
    with pytest.raises(Invalid, match="Say what should change"), transaction():
        triage.request_changes(news, REPLY_BY, mail=Mail(), actor=None, now=now)


def test_a_decision_ends_the_time_to_reply(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now)
    with transaction():
        triage.request_changes(news, REPLY_BY, mail=Mail(why="Who?"), actor=ruth, now=now)
    asked = db.session.scalars(select(Notice)).one()
    with transaction():
        triage.place(news, actor=ruth, now=now + timedelta(days=1))

    assert db.session.scalars(select(Extension)).one().state is ExtensionState.REVOKED
    assert replying.reply_time(news) is None
    with pytest.raises(NoLongerNeeded):
        values_of(asked, now)


# --- another issue, another contribution -------------------------------------------------------------------------


def test_kept_for_the_next_issue_it_waits_there_and_its_sender_hears_why(
    january: Issue, april: Issue, now: datetime
) -> None:
    news = late(january, now)
    with transaction():
        triage.carry(news, april, mail=Mail(why="January is full."), actor=None, now=now)

    assert (news.issue_id, news.state, news.late) == (april.id, ContributionState.SUBMITTED, False)
    values = values_of(db.session.scalars(select(Notice)).one(), now)
    assert values["issue"] == "Safeguarding news, April 2027"
    assert "January is full." in values["words"]


@pytest.mark.parametrize("leave", [False, True])
def test_an_accepted_one_goes_to_the_next_issue_as_editors_left_it(
    january: Issue, april: Issue, ruth: Account, now: datetime, leave: bool
) -> None:
    news = sent_in(january, now)
    with transaction():
        block = triage.place(news, actor=ruth, now=now)
        editing.edit_block(block, {**block.data, "body": "<p>Edited.</p>"}, expected_version=1, actor=ruth, now=now)
    with transaction():
        triage.carry(news, april, mail=Mail(why="Full."), leave=leave, seen=triage.token(news), actor=ruth, now=now)

    assert (news.state, news.issue_id) == (ContributionState.ACCEPTED, april.id)
    assert sections(january) == []
    assert sections(april) == ["Peer mentors"]
    moved = placing.section_of(news)
    assert moved is not None
    assert moved.data["body"] == "<p>Edited.</p>"
    assert any(each.data.get("heading") == "Peer mentors" for each in editing.live_blocks(january)) is leave
    assert mails() == [("contribution_accepted", "dropped"), ("contribution_moved", "queued")]


def test_it_stays_with_its_list_and_out_of_what_is_sent(january: Issue, april: Issue, now: datetime) -> None:
    bulletin = people.issue(now, people.policy_changes(now), "Bulletin", "bulletin")
    news = sent_in(january, now)
    with pytest.raises(Refused, match="Safeguarding news"), transaction():
        triage.carry(news, bulletin, actor=None, now=now)
    with transaction():
        april.state, april.cancelled_at = IssueState.CANCELLED, now
    with pytest.raises(Refused, match="April 2027 takes nothing more"), transaction():
        triage.carry(news, april, actor=None, now=now)
    with pytest.raises(Refused, match="waiting in this issue already"), transaction():
        triage.carry(news, january, actor=None, now=now)


def test_two_pieces_about_the_same_become_one_and_both_senders_hear(
    january: Issue, ruth: Account, now: datetime
) -> None:
    first = sent_in(january, now)
    second = sent_in(january, now, "Mentors at Oakfield", contact_address="tom@example.org", contact_name="Tom Reed")
    with transaction():
        merging.merge(second, first, actor=ruth, now=now)

    assert (second.state, second.merged_into_id) == (ContributionState.MERGED, first.id)
    rows = db.session.execute(select(Notice.address, Notice.template).order_by(Notice.id)).all()
    assert rows == [("tom@example.org", "contribution_merged"), ("helen@example.org", "contribution_merged_into")]
    assert merging.parts_of(first) == [second]
    assert merging.root_of(second) == first
    with transaction():
        triage.reopen(second, actor=ruth, now=now)
    assert [state for _template, state in mails()] == ["dropped", "dropped"]
    assert (second.state, second.merged_into_id) == (ContributionState.SUBMITTED, None)


def test_what_cannot_be_put_together(january: Issue, april: Issue, now: datetime) -> None:
    news, elsewhere = sent_in(january, now), sent_in(april, now, "Elsewhere")
    declined = sent_in(january, now, "Declined", state=ContributionState.DECLINED)
    for into, sentence in ((news, "Choose another"), (elsewhere, "for another issue"), (declined, "is declined")):
        with pytest.raises(Refused, match=sentence), transaction():
            merging.merge(news, into, actor=None, now=now)


def test_nothing_is_changed_about_what_is_out(january: Issue, ruth: Account, now: datetime) -> None:
    news = sent_in(january, now)
    with transaction():
        triage.place(news, actor=ruth, now=now)
    with transaction():
        january.state, january.cancelled_at = IssueState.CANCELLED, now
    with pytest.raises(Refused, match="January 2027 is out, or on its way"), transaction():
        triage.decline(news, "No.", seen=triage.token(news), actor=ruth, now=now)
    with pytest.raises(Refused, match="January 2027 is out, or on its way"), transaction():
        triage.reopen(news, actor=ruth, now=now)
    assert db.session.scalars(select(Block).where(Block.contribution_id == news.id)).one().deleted_at is None


def test_the_words_of_every_decision_can_be_written(january: Issue, ruth: Account, now: datetime) -> None:
    news: Contribution = sent_in(january, now, contact_name="")
    for decision in outcomes.Decision:
        words = outcomes.suggested(decision, news, actor=None, why="Because.", other="Mentors")
        assert words.startswith("Hello,\n\n")
        assert words.endswith("Because.\n\nThe editors of Safeguarding news")
        assert "{" not in words
    assert deciding.state_words(news) == "waiting for a decision"
