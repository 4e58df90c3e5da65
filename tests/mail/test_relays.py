"""The relays that are no server: the built-in mailbox, and the one in memory."""

import asyncio
from collections.abc import Callable

import pytest

from newsletter.errors import RelayBusy, RelayDown, RelayError, RelayRefused, RelayUnsure
from newsletter.mail.local import LocalMailbox
from newsletter.mail.memory import MemoryRelay
from newsletter.mail.relay import Connection, Envelope, Receipt, Relay, send_one
from newsletter.mail.replies import one_line
from newsletter.mail.smtp import SmtpRelay

from .conftest import envelope_for


def test_all_relays_are_relays() -> None:
    relays: list[Relay] = [
        LocalMailbox(lambda envelope: None),
        MemoryRelay(),
        SmtpRelay.from_url("smtp://127.0.0.1:25"),
    ]
    for relay in relays:
        assert relay.name
        assert relay.limits.connections >= 1


def test_the_built_in_mailbox_keeps_what_it_is_given() -> None:
    kept: list[Envelope] = []
    order: list[str] = []

    async def story() -> Receipt:
        connection: Connection = await LocalMailbox(kept.append).connect()
        receipt = await connection.send(envelope_for(), before_final_dot=lambda: order.append(f"dot at {len(kept)}"))
        await connection.close()
        assert not connection.usable
        with pytest.raises(RelayDown):
            await connection.send(envelope_for())
        return receipt

    assert asyncio.run(story()).code == 250
    assert kept == [envelope_for()]
    assert order == ["dot at 0"]


def test_a_mailbox_that_cannot_keep_says_so_and_stays_open() -> None:
    def full(envelope: Envelope) -> None:
        raise RelayBusy("The disk is full")

    async def story() -> None:
        connection = await LocalMailbox(full).connect()
        with pytest.raises(RelayBusy):
            await connection.send(envelope_for())
        assert connection.usable

    asyncio.run(story())


def test_memory_fails_as_it_is_told_and_then_takes_the_mail() -> None:
    relay = MemoryRelay()
    relay.fail("ben@example.org", RelayBusy("later", code=451), RelayRefused("no", code=550))
    errors: list[type[RelayError]] = []
    for _ in range(3):
        try:
            send_one(relay, envelope_for("ben@example.org"))
        except RelayError as error:
            errors.append(type(error))
    assert errors == [RelayBusy, RelayRefused]
    send_one(relay, envelope_for("asha@example.org"))
    assert relay.recipients == ["ben@example.org", "asha@example.org"]
    assert [envelope.recipient for envelope in relay.accepted_for("asha@example.org")] == ["asha@example.org"]


@pytest.mark.parametrize(
    ("error", "announced"), [(RelayDown("gone"), 0), (RelayUnsure("gone"), 1), (RelayBusy("later"), 0)]
)
def test_memory_behaves_as_a_connection_does(error: RelayError, announced: int) -> None:
    relay = MemoryRelay()
    relay.fail("ben@example.org", error)
    dots: list[int] = []

    async def story() -> None:
        connection = await relay.connect()
        with pytest.raises(type(error)):
            await connection.send(envelope_for("ben@example.org"), before_final_dot=lambda: dots.append(1))
        assert connection.usable is isinstance(error, RelayBusy)

    asyncio.run(story())
    assert len(dots) == announced
    assert relay.accepted == []


def test_memory_can_be_out_of_reach() -> None:
    relay = MemoryRelay()
    relay.fail_to_connect(RelayDown("no"))
    with pytest.raises(RelayDown):
        send_one(relay, envelope_for())
    send_one(relay, envelope_for())
    assert (relay.connects, len(relay.accepted)) == (2, 1)


def test_an_envelope_does_not_show_the_mail() -> None:
    assert "hello" not in repr(envelope_for())


def test_one_line_is_one_line() -> None:
    assert one_line(["a\r\nb", "\x1b[1mc", ""]) == "a b �[1mc"
    assert len(one_line(["x" * 1000])) == 400


class Sheet:
    """A mailing of some envelopes that writes down what came of each; `vouches` says whether a dot may go."""

    def __init__(self, *recipients: str, vouches: Callable[[], None] = lambda: None) -> None:
        self.waiting = [envelope_for(recipient) for recipient in recipients]
        self.outcomes: list[type[Receipt | RelayError]] = []
        self._vouches = vouches

    def next_ready(self) -> Envelope | None:
        return self.waiting.pop(0) if self.waiting else None

    def before_final_dot(self, envelope: Envelope) -> None:
        self._vouches()

    def settled(self, envelope: Envelope, outcome: Receipt | RelayError) -> None:
        self.outcomes.append(type(outcome))


def through(connection: Connection, sheet: Sheet) -> Connection:
    asyncio.run(connection.work(sheet))
    return connection


def test_a_mailing_goes_to_memory_one_by_one() -> None:
    relay = MemoryRelay()
    relay.fail("ben@example.org", RelayBusy("later"))
    relay.fail("dev@example.org", RelayUnsure("gone"))
    sheet = Sheet("asha@example.org", "ben@example.org", "carys@example.org", "dev@example.org", "eve@example.org")
    assert not through(asyncio.run(relay.connect()), sheet).usable
    assert sheet.outcomes == [Receipt, RelayBusy, Receipt, RelayUnsure]
    assert [envelope.recipient for envelope in sheet.waiting] == ["eve@example.org"]


def test_a_mailing_goes_to_the_built_in_mailbox() -> None:
    kept: list[Envelope] = []
    sheet = Sheet("asha@example.org", "ben@example.org")
    assert through(asyncio.run(LocalMailbox(kept.append).connect()), sheet).usable
    assert [envelope.recipient for envelope in kept] == ["asha@example.org", "ben@example.org"]
    assert sheet.outcomes == [Receipt, Receipt]


def test_a_worker_that_cannot_vouch_leaves_nothing_behind() -> None:
    kept: list[Envelope] = []

    def say_no() -> None:
        raise LookupError("the lease is lost")

    for connect in (LocalMailbox(kept.append).connect, MemoryRelay().connect):
        sheet, connection = Sheet("asha@example.org", vouches=say_no), asyncio.run(connect())
        with pytest.raises(LookupError):
            through(connection, sheet)
        assert sheet.outcomes == [RelayDown]
        assert not connection.usable
    assert kept == []


def test_a_mailbox_that_breaks_while_it_keeps_a_mail_leaves_it_in_doubt() -> None:
    def broken(envelope: Envelope) -> None:
        raise LookupError("the disk is gone")

    sheet = Sheet("asha@example.org", "ben@example.org")
    with pytest.raises(LookupError):
        through(asyncio.run(LocalMailbox(broken).connect()), sheet)
    assert sheet.outcomes == [RelayUnsure]
