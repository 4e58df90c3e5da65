"""The outbox: whatever the mail server does, a confirmation is sent once, or somebody can see why not."""

import email
import email.policy
import re
import socket
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery.notices import claims, outbox
from newsletter.delivery.notices.links import PATHS, link
from newsletter.delivery.pace.budget import RelayBudget
from newsletter.domain.notices import send_notice
from newsletter.domain.subscribers import addressing, leaving, offering, preferences, rejoining, subscribing
from newsletter.errors import RelayBusy, RelayDown, RelayRefused, RelayRejectsUs, RelayUnsure
from newsletter.mail.local import LocalMailbox
from newsletter.mail.memory import MemoryRelay
from newsletter.mail.smtp import SmtpRelay
from newsletter.models import (
    Account,
    Contribution,
    MailboxMessage,
    MailingList,
    Notice,
    Organisation,
    Rendition,
    SignUp,
)
from newsletter.states import ContributionState, NoticeState, SendingMode
from tests import people
from tests.smtp_servers import DROP, HOST, AcceptingServer, ScriptedServer, Step

TOM = "tom.example@example.org"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


def sign_up(now: datetime, address: str = TOM, **values: str) -> None:
    with transaction():
        subscribing.request_subscription(
            address=address,
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            source="sign-up form",
            now=now,
            **values,
        )


def notice(address: str = TOM) -> Notice:
    db.session.rollback()
    return db.session.scalars(select(Notice).where(Notice.address == address)).one()


def states() -> dict[str, NoticeState]:
    db.session.rollback()
    return {one.address: one.state for one in db.session.scalars(select(Notice).order_by(Notice.id))}


def read(message: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def plain(message: bytes) -> str:
    part = read(message).get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_tom_s_confirmation_says_who_asks_for_what(quarterly: MailingList, relay: MemoryRelay, now: datetime) -> None:
    sign_up(now)
    assert outbox.deliver_notices(now) == 1
    (envelope,) = relay.accepted
    assert (envelope.sender, envelope.recipient, envelope.delivery) == ("newsletter@example.org", TOM, None)
    mail = read(envelope.message)
    assert mail["Subject"] == "Confirm your subscription"
    assert (mail["From"], mail["To"]) == ("Safeguarding news <newsletter@example.org>", TOM)
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert mail["Message-ID"] == f"<{notice().message_id}>"
    assert [header for header in mail if header.lower().startswith("list-")] == []
    text = plain(envelope.message)
    assert "• Safeguarding news" in text
    assert "10am, Monday 14 December 2026" in text
    assert len(re.findall(r"^https://news\.example\.org/(?:confirm|not-me)/[A-Za-z0-9_-]{65}$", text, re.M)) == 2


def test_the_links_are_in_the_mail_and_nowhere_else(quarterly: MailingList, relay: MemoryRelay, now: datetime) -> None:
    from tests.dump import dump

    sign_up(now)
    outbox.deliver_notices(now)
    tokens = re.findall(r"/(?:confirm|not-me)/([A-Za-z0-9_-]+)", plain(relay.accepted[0].message))
    everything = str(dump())
    assert len(set(tokens)) == 2
    assert not [token for token in tokens if token in everything]


@pytest.mark.parametrize(
    "name",
    ['<a href="https://bad.example/">Free money</a>', "https://bad.example/win", "{{ 7*7 }}", "Click\r\nBcc: x@y.zz"],
)
def test_no_word_of_the_visitor_s_is_in_the_confirmation(
    quarterly: MailingList, relay: MemoryRelay, now: datetime, name: str
) -> None:
    sign_up(now, name=name, organisation=name)
    outbox.deliver_notices(now)
    mail = read(relay.accepted[0].message)
    for part in mail.walk():
        if not part.is_multipart():
            content = str(part.get_content())
            for hostile in ("bad.example", "Free money", "7*7", "Bcc"):
                assert hostile not in content
    assert mail["Bcc"] is None


class ComingBack(AcceptingServer):
    """A server whose port is closed until it starts."""

    def __init__(self) -> None:
        super().__init__()
        self._listener.close()

    def start(self) -> None:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((HOST, self.port))
        self._listener.listen(128)
        super().start()


def test_a_mail_server_that_is_down_loses_nobody(app: Flask, quarterly: MailingList, now: datetime) -> None:
    server = ComingBack()
    app.extensions["newsletter_relay"] = SmtpRelay.from_url(server.url)
    for number in range(3):
        sign_up(now, f"reader{number}@example.org")
    assert outbox.deliver_notices(now) == 0
    assert outbox.deliver_notices(now + MINUTE) == 0
    assert sorted(one.attempts for one in db.session.scalars(select(Notice))) == [0, 1, 1]
    with server:
        assert outbox.deliver_notices(now + 10 * MINUTE) == 3
    assert sorted(received.recipient for received in server.accepted) == [f"reader{n}@example.org" for n in range(3)]
    assert set(states().values()) == {NoticeState.ACCEPTED}


def test_it_is_tried_again_after_a_minute_first_and_after_four_hours_at_most_for_three_days(
    quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    sign_up(now)
    with transaction() as session:
        session.scalars(select(SignUp)).one().expires_at = now + 30 * DAY
    busy = RelayBusy("The mail server asks us to wait.", code=450, enhanced="4.2.0", reply="450 4.2.0 try later")
    waits, present = [], now
    while notice().state in (NoticeState.QUEUED, NoticeState.DEFERRED):
        relay.fail(TOM, busy)
        outbox.deliver_notices(present)
        if notice().state is NoticeState.DEFERRED:
            waits.append(notice().next_attempt_at - present)
            present = notice().next_attempt_at
    assert timedelta(seconds=60) <= waits[0] < timedelta(seconds=66)
    assert all(earlier <= later for earlier, later in pairwise(waits))
    assert 4 * HOUR <= max(waits) < timedelta(hours=4, minutes=24)
    assert timedelta(days=2, hours=19) < present - now <= 3 * DAY
    assert (notice().state, notice().reply) == (
        NoticeState.REFUSED,
        "The mail server asks us to wait. 450 4.2.0 try later",
    )
    assert relay.accepted == []


def test_an_address_that_does_not_exist_is_not_tried_again(
    quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    sign_up(now)
    sign_up(now, "helen@example.org")
    relay.fail(TOM, RelayRefused("There is no such address.", code=550, reply="550 5.1.1 no such user"))
    assert outbox.deliver_notices(now) == 1
    assert outbox.deliver_notices(now + DAY) == 0
    assert states() == {TOM: NoticeState.REFUSED, "helen@example.org": NoticeState.ACCEPTED}


def test_a_server_that_refuses_our_password_stops_the_run(
    quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    for number in range(3):
        sign_up(now, f"reader{number}@example.org")
    relay.fail_to_connect(RelayRejectsUs("The mail server no longer accepts our password.", code=535))
    assert outbox.deliver_notices(now) == 0
    assert relay.connects == 1
    assert outbox.deliver_notices(now + 2 * MINUTE) == 3


def test_when_no_answer_came_the_same_mail_goes_once_more_and_no_third_time(
    quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    sign_up(now)
    relay.fail(TOM, RelayUnsure("No answer came."), RelayUnsure("No answer came."))
    assert outbox.deliver_notices(now) == 0
    assert (notice().state, notice().unsure_at) == (NoticeState.DEFERRED, now)
    assert outbox.deliver_notices(now + 2 * MINUTE) == 0
    assert notice().state is NoticeState.UNSURE
    assert outbox.deliver_notices(now + DAY) == 0
    with transaction():
        outbox.try_again(notice(), now + DAY)
    assert outbox.deliver_notices(now + DAY) == 1, "a person may decide to send it again"


def test_the_second_copy_is_the_first_one_byte_for_byte(app: Flask, quarterly: MailingList, now: datetime) -> None:
    """A real server that takes the whole message and hangs up without a word."""
    sign_up(now)
    with ScriptedServer({Step.DOT: DROP}) as server:
        app.extensions["newsletter_relay"] = SmtpRelay.from_url(server.url)
        assert outbox.deliver_notices(now) == 0
        assert outbox.deliver_notices(now + 2 * MINUTE) == 1
    first, second = server.received_for(TOM)
    assert first.message == second.message
    assert notice().state is NoticeState.ACCEPTED


def test_a_worker_that_dies_with_a_notice_in_hand_leaves_it_for_another(
    quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    sign_up(now)
    dead = claims._claim("dead", now)
    assert dead is not None
    assert outbox.deliver_notices(now + 29 * MINUTE) == 0, "it may still be at it"
    assert outbox.deliver_notices(now + 30 * MINUTE) == 1
    assert relay.recipients == [TOM]
    # What comes late from the dead one changes nothing.
    outbox._record(*dead, state=NoticeState.REFUSED)
    assert notice().state is NoticeState.ACCEPTED


def test_a_second_death_is_shown_to_a_person(quarterly: MailingList, relay: MemoryRelay, now: datetime) -> None:
    sign_up(now)
    claims._claim("one", now)
    claims._claim("two", now + HOUR)
    assert outbox.deliver_notices(now + 2 * HOUR) == 0
    assert (notice().state, relay.accepted) == (NoticeState.UNSURE, [])


def test_what_is_urgent_goes_first(quarterly: MailingList, relay: MemoryRelay, now: datetime) -> None:
    issue = people.issue(now, quarterly)
    with transaction():
        for number in range(3):
            send_notice("sending_started", f"staff{number}@example.org", now=now, issue=issue)
    sign_up(now + MINUTE)
    outbox.deliver_notices(now + MINUTE)
    assert relay.recipients == [TOM, "staff0@example.org", "staff1@example.org", "staff2@example.org"]


def test_what_is_no_longer_needed_is_not_sent(quarterly: MailingList, relay: MemoryRelay, now: datetime) -> None:
    sign_up(now)
    with transaction() as session:
        subscribing.confirm(session.scalars(select(SignUp)).one(), now=now)
    assert outbox.deliver_notices(now + MINUTE) == 0
    assert (notice().state, notice().reply) == (NoticeState.DROPPED, "The sign-up is over.")


def test_one_that_cannot_be_written_does_not_stop_the_others(
    quarterly: MailingList, relay: MemoryRelay, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction():
        send_notice("contribution_receipt", "sam@example.org", now=now, mailing_list=quarterly, priority=1)
        send_notice("no_such_notice", "sam2@example.org", now=now, mailing_list=quarterly, priority=1)
    sign_up(now)
    assert outbox.deliver_notices(now) == 1
    assert states() == {
        "sam@example.org": NoticeState.REFUSED,
        "sam2@example.org": NoticeState.DROPPED,
        TOM: NoticeState.ACCEPTED,
    }
    assert notice("sam@example.org").reply == "It could not be written: ValueError"
    assert "Notice 1 cannot be written" in caplog.text


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (SendingMode.NOTHING, {"ruth@example.org": NoticeState.HELD, TOM: NoticeState.HELD}),
        (SendingMode.TEAM, {"ruth@example.org": NoticeState.ACCEPTED, TOM: NoticeState.HELD}),
        (SendingMode.EVERYONE, {"ruth@example.org": NoticeState.ACCEPTED, TOM: NoticeState.ACCEPTED}),
    ],
)
def test_the_sending_mode_holds_what_may_not_leave(
    quarterly: MailingList, now: datetime, mode: SendingMode, expected: dict[str, NoticeState]
) -> None:
    people.staff(now)
    with transaction() as session:
        session.get_one(Organisation, 1).sending_mode = mode
        send_notice("account_changed", "Ruth@example.org".lower(), now=now, values={"what": "password"})
    sign_up(now)
    outbox.deliver_notices(now)
    assert states() == expected


def test_held_mail_leaves_when_it_may_and_is_dropped_after_three_days(
    quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    with transaction() as session:
        session.get_one(Organisation, 1).sending_mode = SendingMode.TEAM
    sign_up(now)
    sign_up(now + 2 * DAY, "helen@example.org")
    outbox.deliver_notices(now + 2 * DAY)
    assert states() == {TOM: NoticeState.HELD, "helen@example.org": NoticeState.HELD}
    outbox.deliver_notices(now + 4 * DAY)
    assert states() == {TOM: NoticeState.DROPPED, "helen@example.org": NoticeState.HELD}
    with transaction() as session:
        session.get_one(Organisation, 1).sending_mode = SendingMode.EVERYONE
    assert outbox.deliver_notices(now + 4 * DAY) == 1
    assert relay.recipients == ["helen@example.org"]


def test_the_built_in_mailbox_takes_everything(app: Flask, quarterly: MailingList, now: datetime) -> None:
    from newsletter.delivery.notices.mailbox import keep_in_mailbox

    app.extensions["newsletter_relay"] = LocalMailbox(lambda envelope: keep_in_mailbox(app, envelope))
    with transaction() as session:
        session.get_one(Organisation, 1).sending_mode = SendingMode.NOTHING
    sign_up(now)
    assert outbox.deliver_notices(now) == 1
    message = db.session.scalars(select(MailboxMessage)).one()
    assert (message.recipient, message.subject) == (TOM, "Confirm your subscription")


def test_an_invitation_s_link_is_made_when_its_mail_is(
    quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    from newsletter.domain.staff import invitations
    from newsletter.states import Role

    ruth = people.staff(now)
    with transaction() as session:
        session.get_one(Organisation, 1).sending_mode = SendingMode.TEAM
        _invitation, token = invitations.invite("ewan@example.org", Role.APPROVER, quarterly, actor=ruth, now=now)
    assert outbox.deliver_notices(now) == 1
    text = plain(relay.accepted[0].message)
    assert f"https://news.example.org/join/{token}\n" in text
    assert "Ruth Adeyemi invites you" in text
    assert db.session.scalar(select(Account).where(Account.email == "ewan@example.org")) is None


def test_each_path_in_a_mail_leads_to_its_page(app: Flask) -> None:
    rules = {rule.endpoint: re.sub(r"<[^>]+>", "{}", rule.rule) for rule in app.url_map.iter_rules()}
    written = {page: re.sub(r"{[^}]+}", "{}", path) for page, path in PATHS.items()}
    assert {page: rules.get(page) for page in written} == written
    assert link("editor.issue", slug="december-2026") == "https://news.example.org/desk/issues/december-2026"


def test_a_relay_that_goes_away_in_the_middle_keeps_the_rest(
    quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    for number in range(4):
        sign_up(now, f"reader{number}@example.org")
    relay.fail("reader2@example.org", RelayDown("The connection is gone."))
    assert outbox.deliver_notices(now) == 2
    assert outbox.deliver_notices(now) == 1
    assert outbox.deliver_notices(now + 2 * MINUTE) == 1
    assert sorted(relay.recipients) == [f"reader{number}@example.org" for number in range(4)]


STAFF_NOTICES = [
    "approval_requested", "approval_returned", "issue_approved", "issue_scheduled", "schedule_held",
    "sending_started", "sending_paused", "sending_finished",
]  # fmt: skip


def test_readers_are_not_told_that_they_work_here(quarterly: MailingList, relay: MemoryRelay, now: datetime) -> None:
    """The mails that somebody who was subscribed asks for: the way back, what is held, another address."""
    (subscription,) = people.subscribers(now, quarterly, 1)
    subscriber = subscription.subscriber
    assert subscriber is not None
    with transaction():
        preferences.send_fresh_link(subscriber, now=now)
        addressing.send_link(subscriber, now=now)
        leaving.unsubscribe(subscription, route="link", now=now)
    db.session.refresh(subscription)
    with transaction():
        assert rejoining.send_link(subscription, now=now) is not None
    assert outbox.deliver_notices(now) == 3
    for envelope in relay.accepted:
        assert "You get this because this address is, or was, subscribed." in plain(envelope.message)
        assert "work on this newsletter" not in plain(envelope.message)


@pytest.mark.parametrize("template", STAFF_NOTICES)
def test_staff_read_which_issue_it_is_and_are_one_click_away(
    quarterly: MailingList, relay: MemoryRelay, now: datetime, template: str
) -> None:
    issue = people.issue(now, quarterly)
    with transaction():
        send_notice(template, "ruth@example.org", now=now, values={"by": "Ewan Marsh", "recipients": 712}, issue=issue)
    assert outbox.deliver_notices(now) == 1
    mail = relay.accepted[0].message
    assert "Safeguarding news: December 2026" in read(mail)["Subject"]
    page = {"sending": "/sending", "approval": "/approval"}.get(template.split("_")[0], "")
    assert f"\nhttps://news.example.org/desk/issues/december-2026{page}\n" in plain(mail)


@pytest.mark.parametrize(
    "template", ["contribution_receipt", "contribution_late", "contribution_accepted", "contribution_declined"]
)
def test_who_sent_something_in_reads_their_own_words(
    quarterly: MailingList, relay: MemoryRelay, now: datetime, template: str
) -> None:
    issue = people.issue(now, quarterly)
    with transaction() as session:
        sent_in = Contribution(
            reference="K7M3-9QXT", issue_id=issue.id, state=ContributionState.SUBMITTED, title="Spring training dates",
            body="Four practice days in March.\n\nBook by Friday.", contact_name="Sam Okafor", agency="Larkmere Police",
            contact_address="sam@example.org", opened_at=now, created_at=now, submitted_at=now,
        )  # fmt: skip
        session.add(sent_in)
        session.flush()
        values = {"contribution": sent_in.id, "note": "We had two of these."}
        send_notice(template, "sam@example.org", now=now, values=values, issue=issue)
    assert outbox.deliver_notices(now) == 1
    mail = read(relay.accepted[0].message)
    text = " ".join(plain(relay.accepted[0].message).split())
    assert "K7M3-9QXT" in mail["Subject"]
    assert "Spring training dates" in text
    if template in ("contribution_receipt", "contribution_late"):
        assert "Four practice days in March. Book by Friday." in text
        assert "5pm, Friday 11 December 2026" in text
        assert "Sam Okafor Larkmere Police sam@example.org" in text
    else:
        assert "We had two of these." in text


def test_a_test_copy_is_the_issue_with_the_links_of_nobody(
    quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    issue = people.issue(now, quarterly)
    with transaction() as session:
        session.get_one(Organisation, 1).sending_mode = SendingMode.TEAM
        frozen = Rendition(
            issue_id=issue.id, content_version=1, subject="Safeguarding news: December 2026", headers={},
            html='<p>Words. <a href="{unsubscribe_url}">Leave</a> <a href="{preferences_url}">Choose</a></p>',
            text="Words.\n{unsubscribe_url}\n{preferences_url}\n", web="", audience={}, content_hash=b"x",
            created_at=now,
        )  # fmt: skip
        session.add(frozen)
        session.flush()
        send_notice("test_issue", "helen@example.org", now=now, values={"rendition": frozen.id}, issue=issue)
    assert outbox.deliver_notices(now) == 1, "whom staff name for a test gets it in every installation"
    mail = read(relay.accepted[0].message)
    assert mail["Subject"] == "[Test] Safeguarding news: December 2026"
    html = mail.get_body(("html",))
    assert html is not None
    assert "{" not in plain(relay.accepted[0].message) + str(html.get_content())
    assert "Words." in plain(relay.accepted[0].message)
    assert "https://news.example.org/u/" in plain(relay.accepted[0].message)


def test_a_confirmation_is_not_held_back_by_the_relay_s_limit_and_leaves_less_to_an_issue(
    app: Flask, quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    settings = app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], relay_per_hour=3)
    for name in ("tom", "ann", "eve", "bob"):
        sign_up(now, f"{name}@example.org")
    relay.fail("ann@example.org", RelayRefused("No such user", code=550))
    assert outbox.deliver_notices(now) == 3
    budget = RelayBudget(relay.name, settings)
    assert budget.reserve(1)[0] == 0
    budget.give_back(1)
    assert budget.reserve(2)[0] == 1
