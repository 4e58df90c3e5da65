"""What comes back is taken in once and does what it should, and what anybody makes up does nothing."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from newsletter import jobs  # noqa: F401  (they register themselves)
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery.returns import feedback
from newsletter.delivery.returns.feedback import TakenIn, look_again, take_in
from newsletter.domain.notices import send_notice
from newsletter.domain.subscribers import forgetting, retaining, suppressing
from newsletter.domain.subscribers.story import story as story_of
from newsletter.errors import Conflict
from newsletter.mail.memory import MemoryRelay
from newsletter.models import (
    Activity,
    Consent,
    Delivery,
    Feedback,
    InboundMessage,
    Issue,
    MailingList,
    Notice,
    Subscription,
)
from newsletter.states import (
    ConsentEvent,
    DeliveryState,
    FeedbackKind,
    InboundState,
    Role,
    SubscriptionState,
    SuppressionReason,
)
from tests import people
from tests.databases import opened
from tests.delivery.sending import makers
from tests.delivery.sending.conftest import worker_app
from tests.mail.report_corpus import load, marks

pytestmark = pytest.mark.both_databases

HANDLED, IGNORED, QUARANTINED = InboundState.HANDLED, InboundState.IGNORED, InboundState.QUARANTINED
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
READER = "reader1@example.org"


@pytest.fixture
def app(settings: Settings, relay: MemoryRelay, tables: None) -> Iterator[Flask]:
    app = worker_app(settings, relay)
    with opened(app):
        yield app


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    """The list with two readers; Ewan is its administrator."""
    made = people.larkmere(now)
    people.subscribers(now, made, 2)
    people.staff(now, "Ewan Brodie", Role.ADMIN)
    return made


@pytest.fixture
def december(quarterly: MailingList, now: datetime) -> Issue:
    return sent(now, quarterly, "december-2026")


def sent(at: datetime, mailing_list: MailingList, slug: str, state: DeliveryState = DeliveryState.ACCEPTED) -> Issue:
    """An issue that went to everybody on the list at `at`."""
    issue = makers.sending_to(at, mailing_list, slug)
    with transaction() as session:
        session.execute(
            update(Delivery).where(Delivery.issue_id == issue.id).values(state=state, first_tried_at=at, attempts=1)
        )
    return issue


def reader(address: str = READER) -> Subscription:
    db.session.rollback()
    return (
        makers.delivery_to(address)
        and db.session.scalars(
            select(Subscription).where(Subscription.id == makers.delivery_to(address).subscription_id)
        ).one()
    )


def report(name: str, issue: Issue | None = None, address: str = READER, **given: str) -> bytes:
    """A mail of the corpus about this reader's message; about the newest one where no issue is named."""
    row = makers.delivery_to(address)
    if issue is not None:
        row = db.session.scalars(
            select(Delivery).where(Delivery.issue_id == issue.id, Delivery.subscription_id == row.subscription_id)
        ).one()
    ours = marks(reader(address).public_id, row.issue_id, row.id)
    return load(name, reader=address, **{**ours, **given})


def come(raw: bytes, now: datetime) -> TakenIn:
    return take_in(raw, "INBOX", now + HOUR, now + HOUR)


def told() -> list[Notice]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def known(*columns: object) -> list[Feedback]:
    db.session.rollback()
    return list(db.session.scalars(select(Feedback).order_by(Feedback.id)))


def suppressed(address: str = READER) -> list[SuppressionReason]:
    db.session.rollback()
    return [one.reason for one in suppressing.suppressions_of(address)]


class TestBounces:
    @pytest.mark.parametrize("name", [
        "postfix_unknown_user", "exim_unknown_user", "exim_old_form", "microsoft_365_not_found", "gmail_not_found",
        "yahoo_no_account", "proofpoint_unknown_user", "qmail_no_mailbox",
    ])  # fmt: skip
    def test_a_mailbox_that_is_gone_gets_no_more_mail(self, december: Issue, now: datetime, name: str) -> None:
        taken = come(report(name), now)

        assert (taken.kind, taken.state) == ("dsn", HANDLED)
        assert suppressed() == [SuppressionReason.BOUNCED]
        (row,) = known()
        assert (row.kind, row.issue_id, row.suppressed) == (FeedbackKind.HARD, december.id, True)
        assert row.subscription_id == reader().id
        assert row.delivery_id == makers.delivery_to(READER).id
        assert makers.delivery_to(READER).state is DeliveryState.ACCEPTED, "the mail server did accept it"
        assert reader().state is SubscriptionState.ACTIVE
        assert suppressed("reader2@example.org") == []
        assert told() == []

    def test_the_same_report_twice_and_by_another_way_is_one_event(self, december: Issue, now: datetime) -> None:
        first = come(report("postfix_unknown_user"), now)
        again = come(report("postfix_unknown_user"), now)
        other = come(report("gmail_not_found"), now)

        assert again == replace(first, known=True)
        assert (other.state, other.known) == (HANDLED, False)
        assert len(known()) == 1
        assert len(suppressed()) == 1

    def test_the_envelope_alone_is_enough_and_the_message_is_the_last_one_that_left(
        self, quarterly: MailingList, december: Issue, now: datetime
    ) -> None:
        newer = sent(now + 90 * DAY, quarterly, "march-2027")
        nothing = {"MESSAGE_ID": "other@example.net", "UNSUBSCRIBE": "x"}
        come(report("postfix_unknown_user", **nothing), now)
        assert [row.issue_id for row in known()] == [december.id]
        come(report("proofpoint_unknown_user", **nothing), now + 91 * DAY)
        assert [row.issue_id for row in known()] == [december.id, newer.id]

    def test_without_a_bounce_domain_what_comes_back_in_the_report_leads_to_the_reader(
        self, december: Issue, now: datetime
    ) -> None:
        bounce = report("postfix_unknown_user", TAG="newsletter", UNSUBSCRIBE="x")
        assert come(bounce, now).state is HANDLED
        link = report("exim_unknown_user", december, "reader2@example.org", TAG="n", MESSAGE_ID="n@n")
        assert come(link, now).state is HANDLED
        assert suppressed() == suppressed("reader2@example.org") == [SuppressionReason.BOUNCED]

    @pytest.mark.parametrize("name", ["postfix_delayed", "postfix_success"])
    def test_what_is_no_failure_changes_nothing(self, december: Issue, now: datetime, name: str) -> None:
        taken = come(report(name), now)
        assert taken.state is IGNORED
        assert taken.settled
        assert known() == []
        assert suppressed() == []

    def test_a_full_mailbox_is_given_up_after_three_issues_in_a_row(
        self, quarterly: MailingList, now: datetime
    ) -> None:
        for number in range(3):
            at = now + number * 90 * DAY
            issue = sent(at, quarterly, f"issue-{number}")
            assert suppressed() == []
            come(report("exchange_mailbox_full", issue), at)
            come(report("groupware_in_words", issue), at)
        assert suppressed() == [SuppressionReason.BOUNCED]
        assert [(row.kind, row.suppressed) for row in known()] == [
            (FeedbackKind.SOFT, False), (FeedbackKind.SOFT, False), (FeedbackKind.SOFT, True),
        ]  # fmt: skip

    def test_one_issue_that_arrived_ends_the_row(self, quarterly: MailingList, now: datetime) -> None:
        for number in range(6):
            at = now + number * 90 * DAY
            issue = sent(at, quarterly, f"issue-{number}")
            if number != 2:
                come(report("postfix_expired", issue), at)
        assert suppressed() == [SuppressionReason.BOUNCED], "the three after it"
        assert [row.suppressed for row in known()] == [False, False, False, False, True]

    def test_an_issue_that_never_left_for_the_reader_neither_counts_nor_excuses(
        self, quarterly: MailingList, now: datetime
    ) -> None:
        states = [DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.ACCEPTED, DeliveryState.ACCEPTED]
        for number, state in enumerate(states):
            issue = sent(now + number * DAY, quarterly, f"issue-{number}", state)
            if state is DeliveryState.ACCEPTED:
                come(report("postfix_expired", issue), now + number * DAY)
        assert suppressed() == [SuppressionReason.BOUNCED]

    def test_a_mailbox_that_took_another_list_s_issue_is_not_full(self, quarterly: MailingList, now: datetime) -> None:
        other = people.policy_changes(now)
        with transaction() as session:
            session.add(
                Subscription(
                    subscriber=reader_of(quarterly).subscriber,
                    list_id=other.id,
                    state=SubscriptionState.ACTIVE,
                    joined_at=now,
                    source="test",
                )
            )
        for number in range(3):
            issue = sent(now + number * DAY, quarterly, f"issue-{number}")
            bounce = report("postfix_expired", issue)
            if number == 2:
                sent(now + number * DAY + HOUR / 2, other, "policy-1")
            come(bounce, now + number * DAY)
        assert suppressed() == []

    def test_being_turned_away_touches_nobody_and_tells_the_administrators_once(
        self, quarterly: MailingList, december: Issue, now: datetime
    ) -> None:
        come(report("postfix_spam"), now)
        come(report("postfix_spam", address="reader2@example.org"), now)

        assert suppressed() == suppressed("reader2@example.org") == []
        assert [row.kind for row in known()] == [FeedbackKind.POLICY] * 2
        (notice,) = told()
        assert (notice.template, notice.address) == ("sending_turned_away", "ewan@example.org")
        assert notice.values["reply"].startswith("554 5.7.1 Message rejected: the content looks like spam")
        for number in range(4):
            come(report("postfix_spam", sent(now + number * DAY, quarterly, f"again-{number}")), now + number * DAY)
        assert suppressed() == [], "however often"
        assert len(told()) == 5

    def test_a_group_is_not_struck_off_because_one_of_its_members_left(self, december: Issue, now: datetime) -> None:
        bounce = report("proofpoint_unknown_user").replace(b"RFC822; <reader1@", b"RFC822; <jane.left@")
        taken = come(bounce, now)
        assert taken.state is HANDLED
        assert known() == []
        assert suppressed() == []

    def test_the_same_person_under_their_server_s_own_name_is_the_same(self, december: Issue, now: datetime) -> None:
        bounce = report("microsoft_365_not_found").replace(
            b"Final-Recipient: rfc822;reader1@example.org", b"Final-Recipient: rfc822;Reader1@example.onmicrosoft.com"
        )
        come(bounce, now)
        assert suppressed() == [SuppressionReason.BOUNCED]

    def test_a_report_on_an_unsure_message_is_noted_and_decides_nothing(
        self, quarterly: MailingList, now: datetime
    ) -> None:
        issue = sent(now, quarterly, "december-2026", DeliveryState.UNSURE)
        taken = come(report("postfix_delayed"), now)
        come(report("postfix_unknown_user"), now)

        assert taken.state is HANDLED
        assert "We were unsure of this message" in taken.note
        assert makers.delivery_to(READER).state is DeliveryState.UNSURE
        noted = db.session.scalars(select(Activity).where(Activity.action == "delivery.evidently_taken")).all()
        assert [(one.issue_id, one.subject_id) for one in noted] == [(issue.id, str(makers.delivery_to(READER).id))]
        assert len(known()) == 1

    def test_a_notice_that_came_back_says_so_and_the_address_may_try_again(
        self, quarterly: MailingList, now: datetime
    ) -> None:
        with transaction():
            notice = send_notice("fresh_link", "tmo.example@example.org", now=now)
            message_id = notice.message_id
        bounce = load("postfix_unknown_user", reader="tmo.example@example.org", TAG="n", UNSUBSCRIBE="x",
                      MESSAGE_ID=message_id)  # fmt: skip
        assert come(bounce, now).state is HANDLED
        assert told()[0].reply.startswith("It came back: 550 5.1.1")
        assert suppressed("tmo.example@example.org") == []
        assert known() == []


def reader_of(mailing_list: MailingList) -> Subscription:
    return db.session.scalars(select(Subscription).where(Subscription.list_id == mailing_list.id)).first()


class TestComplaints:
    @pytest.mark.parametrize("name", ["arf_abuse", "hotmail_junk"])
    def test_who_calls_it_spam_has_left_at_once_and_hears_nothing(
        self, december: Issue, now: datetime, name: str
    ) -> None:
        taken = come(report(name), now)

        assert (taken.kind, taken.state) == ("arf", HANDLED)
        assert reader().state is SubscriptionState.LEFT
        assert suppressed() == [SuppressionReason.COMPLAINT]
        events = db.session.scalars(select(Consent).where(Consent.subscription_id == reader().id)).all()
        assert [(one.event, one.route) for one in events] == [(ConsentEvent.COMPLAINED, "complaint")]
        assert [(row.kind, row.suppressed) for row in known()] == [(FeedbackKind.COMPLAINT, True)]
        assert told() == []
        assert makers.delivery_to(READER).state is DeliveryState.ACCEPTED

    def test_a_second_complaint_about_the_issue_adds_nothing(self, december: Issue, now: datetime) -> None:
        come(report("arf_abuse"), now)
        come(report("hotmail_junk"), now)
        assert len(known()) == 1
        assert db.session.scalar(select(func.count()).select_from(Consent)) == 1

    def test_who_had_left_already_is_on_record_as_complaining(self, december: Issue, now: datetime) -> None:
        from newsletter.domain.subscribers import leaving

        with transaction():
            leaving.unsubscribe(reader(), route="one-click", now=now)
        come(report("arf_abuse"), now)
        events = db.session.scalars(select(Consent.event).order_by(Consent.id)).all()
        assert events == [ConsentEvent.WITHDRAWN, ConsentEvent.COMPLAINED]
        assert suppressed() == [SuppressionReason.COMPLAINT]

    def test_a_complaint_taken_back_is_none(self, december: Issue, now: datetime) -> None:
        assert come(report("arf_not_spam"), now).state is IGNORED
        assert reader().state is SubscriptionState.ACTIVE

    def test_a_stranger_who_calls_our_confirmation_spam_is_asked_no_more(
        self, quarterly: MailingList, now: datetime
    ) -> None:
        with transaction():
            message_id = send_notice("fresh_link", "tom@example.org", now=now).message_id
        assert come(load("arf_abuse", MESSAGE_ID=message_id, UNSUBSCRIBE="x"), now).state is HANDLED
        assert suppressed("tom@example.org") == [SuppressionReason.COMPLAINT]


class TestWhatIsNotOurs:
    def test_a_forged_report_strikes_nobody_off_and_is_counted(self, december: Issue, now: datetime) -> None:
        taken = come(report("forged"), now)
        assert (taken.kind, taken.state) == ("forged", IGNORED)
        assert suppressed() == []
        assert known() == []

    @pytest.mark.parametrize("name", ["postfix_unknown_user", "qmail_no_mailbox", "arf_abuse"])
    def test_an_address_alone_proves_nothing(self, december: Issue, now: datetime, name: str) -> None:
        mark = makers.delivery_to(READER)
        almost = {
            "TAG": "b-" + "a" * 55,
            "MESSAGE_ID": f"{mark.issue_id}.{mark.id}.{'0' * 18}@example.org",
            "UNSUBSCRIBE": "A" * 46,
        }
        assert come(report(name, **almost), now).kind == "forged"
        assert come(report(name, TAG="newsletter", MESSAGE_ID="a@b", UNSUBSCRIBE="x"), now).state is IGNORED
        assert known() == []
        assert suppressed() == []
        assert reader().state is SubscriptionState.ACTIVE

    def test_the_marks_of_two_readers_in_one_report_are_nobody_s(self, december: Issue, now: datetime) -> None:
        other = reader("reader2@example.org").public_id
        mixed = report("postfix_unknown_user", TAG=marks(other)["TAG"])
        assert come(mixed, now).kind == "forged"
        assert suppressed() == suppressed("reader2@example.org") == []

    @pytest.mark.parametrize("name", ["vacation_english", "vacation_german", "read_receipt"])
    def test_an_answering_machine_is_let_talk(self, december: Issue, now: datetime, name: str) -> None:
        taken = come(report(name), now)
        assert (taken.kind, taken.state, taken.settled) == ("automatic", IGNORED, True)
        assert known() == []
        assert told() == []

    @pytest.mark.parametrize("name", ["postfix_unknown_user", "vacation_german", "read_receipt", "arf_abuse"])
    def test_what_came_of_somebody_s_own_letter_is_left_to_them(
        self, december: Issue, now: datetime, name: str
    ) -> None:
        """The mailbox may be one that people write from too."""
        theirs = report(name, TAG="newsletter", MESSAGE_ID="a-letter@example.org", UNSUBSCRIBE="x")
        taken = take_in(theirs, "INBOX", now, now, kept_elsewhere=True)
        assert (taken.state, taken.settled) == (IGNORED, False)

    def test_a_letter_stays_where_people_read_it(self, december: Issue, now: datetime) -> None:
        taken = take_in(report("letter"), "INBOX", now, now, kept_elsewhere=True)
        assert (taken.kind, taken.state, taken.settled) == ("unknown", IGNORED, False)
        assert db.session.scalars(select(InboundMessage)).one().raw is None

    def test_a_letter_that_is_kept_nowhere_else_is_kept(self, december: Issue, now: datetime) -> None:
        raw = report("letter")
        assert come(raw, now).state is QUARANTINED
        assert db.session.scalars(select(InboundMessage)).one().raw == raw

    def test_the_words_of_strangers_are_kept_as_one_line_of_text(self, december: Issue, now: datetime) -> None:
        bounce = report("postfix_unknown_user").replace(
            b"550 5.1.1 <reader1@example.org>: Recipient address", b"550 5.1.1 \x00\x1b[31m<script>\xff" + b"x" * 5_000
        )
        come(bounce, now)
        (row,) = known()
        assert row.reply.isprintable()
        assert len(row.reply) <= 500
        assert "<script>" in row.reply, "escaped where it is shown, not here"


class TestSetAside:
    def test_what_breaks_the_reader_is_set_aside_and_not_read_for_ever(
        self, december: Issue, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_given: object) -> bool:
            raise ZeroDivisionError

        monkeypatch.setattr(feedback, "note_feedback", broken)
        raw = report("postfix_unknown_user")
        taken = come(raw, now)
        assert (taken.state, taken.note) == (QUARANTINED, "It broke the reader (ZeroDivisionError).")
        assert come(raw, now).known
        assert suppressed() == [], "nothing half done"

        monkeypatch.undo()
        row = db.session.scalars(select(InboundMessage)).one()
        assert look_again(row, now).state is HANDLED
        assert suppressed() == [SuppressionReason.BOUNCED]
        row = db.session.scalars(select(InboundMessage)).one()
        assert (row.state, row.raw, row.kind) == (HANDLED, None, "dsn")
        with pytest.raises(Conflict):
            look_again(row, now)

    @pytest.mark.parametrize("name", ["daemon_that_says_nothing", "arf_malformed"])
    def test_what_cannot_be_understood_waits_for_a_person(self, december: Issue, now: datetime, name: str) -> None:
        taken = take_in(report(name), "INBOX", now, now, kept_elsewhere=True)
        assert (taken.state, taken.settled) == (QUARANTINED, False)
        assert db.session.scalars(select(InboundMessage)).one().raw == report(name)

    def test_a_database_that_is_away_sets_nothing_aside(
        self, december: Issue, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from sqlalchemy.exc import OperationalError

        def away(*_given: object) -> bool:
            raise OperationalError("INSERT", {}, Exception("the database is away"))

        monkeypatch.setattr(feedback, "note_feedback", away)
        with pytest.raises(OperationalError):
            come(report("postfix_unknown_user"), now)
        assert db.session.scalar(select(func.count()).select_from(InboundMessage)) == 0


def test_staff_read_in_a_reader_s_story_what_came_back(december: Issue, now: datetime) -> None:
    come(report("postfix_unknown_user"), now)
    come(report("arf_abuse", address="reader2@example.org"), now)
    one, other = (reader(address).subscriber for address in (READER, "reader2@example.org"))
    assert one is not None
    assert other is not None
    newest = story_of(one)[0]
    assert (newest.what, newest.more) == (
        "“December 2026” came back: there is no such mailbox", "The address gets no more mail.",
    )  # fmt: skip
    assert newest.quote.startswith("550 5.1.1 <reader1@example.org>")
    assert "Called “December 2026” spam" in [event.what for event in story_of(other)]


class TestAtOnce:
    """Two workers may look into the same mailbox, and a pipe may bring the same report."""

    def test_one_mail_in_many_hands_and_two_mails_on_one_message_are_one_event(
        self, app: Flask, december: Issue, now: datetime
    ) -> None:
        mails = [report("postfix_unknown_user"), report("gmail_not_found")] * 4
        answers = at_once(app, mails, now)
        assert sorted(taken.known for taken in answers) == [False] * 2 + [True] * 6
        assert len(known()) == 1
        assert suppressed() == [SuppressionReason.BOUNCED]

    def test_many_that_turn_us_away_at_once_are_one_alarm(
        self, app: Flask, quarterly: MailingList, now: datetime
    ) -> None:
        issue = sent(now, quarterly, "december-2026")
        mails = [report("postfix_spam", issue), report("postfix_spam", issue, "reader2@example.org")]
        at_once(app, mails, now)
        assert len(known()) == 2
        assert len(told()) == 1


def at_once(app: Flask, mails: list[bytes], now: datetime) -> list[TakenIn]:
    """All these mails come in at the same moment, each in a thread of its own."""
    db.session.rollback()
    gate = threading.Barrier(len(mails))

    def one(raw: bytes) -> TakenIn:
        with app.app_context():
            gate.wait(30)
            try:
                return come(raw, now)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(mails)) as threads:
        return list(threads.map(one, mails))


class TestForgetting:
    def test_an_erased_reader_is_named_nowhere_in_what_came_back(self, december: Issue, now: datetime) -> None:
        come(report("postfix_unknown_user"), now)
        come(report("daemon_that_says_nothing").replace(b"There was", b"About READER1@example.org there was"), now)
        with transaction():
            forgetting.erase_address(READER, route="test", now=now)
        (row,) = known()
        assert (row.reply, row.reporter) == ("", "")
        rows = db.session.scalars(select(InboundMessage).order_by(InboundMessage.id)).all()
        assert [(one.subject, one.raw) for one in rows] == [("", None), ("", None)]

    def test_a_report_on_somebody_who_was_erased_does_nothing_more(self, december: Issue, now: datetime) -> None:
        bounce, complaint = report("postfix_unknown_user"), report("arf_abuse")
        with transaction():
            forgetting.erase_address(READER, route="test", now=now)
        assert come(bounce, now).state is HANDLED
        assert come(complaint, now).state is HANDLED
        assert suppressed() == [SuppressionReason.ERASED]
        assert [row.reply for row in known()] == ["", ""]

    def test_after_three_months_only_the_count_is_left(self, december: Issue, now: datetime) -> None:
        come(report("vacation_english"), now)
        come(report("daemon_that_says_nothing"), now)
        with transaction():
            retaining.purge_unconfirmed(now + 91 * DAY)
        rows = db.session.scalars(select(InboundMessage)).all()
        assert {(one.subject, one.raw, one.state) for one in rows} == {("", None, IGNORED)}
        assert come(report("vacation_english"), now + 92 * DAY).known
