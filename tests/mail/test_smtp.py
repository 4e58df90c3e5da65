"""Sending that goes well, and what must be said on the wire for it."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from newsletter.errors import RelayDown, RelayRefused, RelayRejectsUs, SettingError
from newsletter.mail.relay import Envelope, Receipt, Relay, send_one
from newsletter.mail.smtp import SmtpRelay
from tests.smtp_servers import PIPELINED, PLAIN, AcceptingServer, ScriptedServer, Step

from .conftest import envelope_for, larkmere, reader

MakeRelay = Callable[..., SmtpRelay]
MODES = pytest.mark.parametrize("extensions", [PLAIN, PIPELINED], ids=["plain", "pipelined"])


def test_a_mail_arrives_as_it_was_filled(relay_for: MakeRelay) -> None:
    message = larkmere().fill(reader())
    with AcceptingServer() as server:
        receipt = send_one(relay_for(server.url), Envelope("b+1@larkmere.example.org", "reader1@example.org", message))
    assert receipt == Receipt(250, "250 2.0.0 queued as 1")
    (received,) = server.accepted
    assert (received.sender, received.recipient) == ("b+1@larkmere.example.org", "reader1@example.org")
    assert received.message == message


@pytest.mark.parametrize("pipelining", [False, True])
def test_2000_readers_over_4_connections_get_each_their_own_mail(pipelining: bool, relay_for: MakeRelay) -> None:
    compiled = larkmere(html="<p>.</p>\n.\n..\nFrom here\n{unsubscribe_url} {preferences_url}")
    envelopes = [
        Envelope(
            f"b+{number}@larkmere.example.org", f"reader{number}@example.org", compiled.fill(reader(number)), number
        )
        for number in range(2000)
    ]
    announced: list[int | None] = []

    async def worker(relay: Relay, waiting: list[Envelope]) -> int:
        connection = await relay.connect()
        taken = 0
        while waiting:
            envelope = waiting.pop()
            await connection.send(envelope, before_final_dot=partial(announced.append, envelope.delivery))
            taken += 1
        await connection.close()
        return taken

    async def run(relay: Relay) -> list[int]:
        waiting = list(envelopes)
        return await asyncio.gather(*(worker(relay, waiting) for _ in range(4)))

    with AcceptingServer(pipelining=pipelining) as server:
        shares = asyncio.run(run(relay_for(server.url)))
    assert sum(shares) == 2000
    assert all(shares)
    assert sorted(announced, key=lambda key: key or 0) == list(range(2000))
    sent = {(envelope.sender, envelope.recipient, envelope.message) for envelope in envelopes}
    assert len(sent) == len(server.received) == 2000
    assert {(received.sender, received.recipient, received.message) for received in server.received} == sent


def test_commands_go_in_one_write_where_the_server_allows_it(relay_for: MakeRelay) -> None:
    """The server holds its replies back until DATA has come: one that waits for them would wait for ever."""
    with ScriptedServer(extensions=PIPELINED, grouped=True) as server:
        assert send_one(relay_for(server.url), envelope_for()).code == 250


def test_commands_wait_for_their_replies_where_it_does_not(relay_for: MakeRelay) -> None:
    with ScriptedServer({Step.MAIL: "451 4.3.0 later"}, extensions=PLAIN) as server:
        with pytest.raises(Exception, match="later"):
            send_one(relay_for(server.url), envelope_for())
        assert server.verbs() == ["EHLO", "MAIL", "QUIT"]


@MODES
def test_the_recipient_is_said_byte_for_byte(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    addresses = [
        "O'Brien+News@Example.ORG",
        "a.b-c_d=e@example.org",
        "x" * 64 + "@example.org",
        "!#$%&*/?^`{|}~@example.org",
    ]

    async def story(relay: Relay) -> None:
        connection = await relay.connect()
        for address in addresses:
            await connection.send(envelope_for(address))
        await connection.close()

    with ScriptedServer(extensions=extensions) as server:
        asyncio.run(story(relay_for(server.url)))
        said = [command for command in server.commands if command.startswith(b"RCPT")]
    assert said == [f"RCPT TO:<{address}>".encode() for address in addresses]


@pytest.mark.parametrize(
    "address",
    [
        "v@example.org>\r\nRCPT TO:<evil@example.org",
        "v@example.org\n",
        "v\x00@example.org",
        "v @example.org",
        "<v@example.org>",
        "v@example.org> NOTIFY=NEVER",
        "zoë@example.org",
        "v@exämple.org",
        '"v w"@example.org',
        "nobody",
        "",
    ],
)
def test_an_address_that_could_say_more_is_never_said(address: str, relay_for: MakeRelay) -> None:
    async def story(relay: Relay) -> None:
        connection = await relay.connect()
        with pytest.raises(RelayRefused):
            await connection.send(envelope_for(address))
        with pytest.raises(RelayRejectsUs):
            await connection.send(Envelope(address or " ", "asha@example.org", b"\r\n"))
        assert connection.usable
        await connection.close()

    with ScriptedServer(extensions=PIPELINED) as server:
        asyncio.run(story(relay_for(server.url)))
        assert server.verbs() == ["EHLO", "QUIT"]


def test_a_null_return_path_is_possible(relay_for: MakeRelay) -> None:
    with ScriptedServer(extensions=()) as server:
        send_one(relay_for(server.url), Envelope("", "asha@example.org", b"Subject: x\r\n\r\nx\r\n"))
        assert b"MAIL FROM:<>" in server.commands


@pytest.mark.parametrize(
    "body",
    [b".\r\n", b".hidden\r\n", b"..\r\n...\r\n", b"a\r\n.\r\nb\r\n", b"no end", b"", b"ends with a dot\r\n."],
)
@MODES
def test_dots_come_through(body: bytes, extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    message = b"Subject: dots\r\n\r\n" + body
    with ScriptedServer(extensions=extensions) as server:
        send_one(relay_for(server.url), envelope_for(message=message))
        assert server.accepted[0].message == (message if message.endswith(b"\r\n") else message + b"\r\n")


@pytest.mark.parametrize(
    "bare", [b"a\nb", b"a\rb", b"a\r\n.\nb", b"a\n.\r\nMAIL FROM:<evil@example.org>\r\n", b"\r\r\n"]
)
def test_a_bare_line_break_is_never_sent(bare: bytes, relay_for: MakeRelay) -> None:
    with ScriptedServer() as server:
        with pytest.raises(RelayRejectsUs, match="bare line break"):
            send_one(relay_for(server.url), envelope_for(message=b"Subject: x\r\n\r\n" + bare))
        assert server.verbs() == ["EHLO", "QUIT"]


def test_only_what_is_offered_is_used(relay_for: MakeRelay) -> None:
    message = b"Subject: x\r\n\r\nx\r\n"
    with ScriptedServer(extensions=()) as server:
        send_one(relay_for(server.url), envelope_for(message=message))
        assert server.commands[1:3] == [b"MAIL FROM:<bounce@larkmere.example.org>", b"RCPT TO:<asha@example.org>"]
    with ScriptedServer(extensions=("size 1000", "DSN")) as server:
        send_one(relay_for(server.url), envelope_for(message=message))
        assert server.commands[1:3] == [
            b"MAIL FROM:<bounce@larkmere.example.org> SIZE=%d RET=HDRS" % len(message),
            b"RCPT TO:<asha@example.org> NOTIFY=FAILURE",
        ]


@pytest.mark.parametrize(("size", "fits"), [("60", False), ("61", True), ("0", True), ("", True), ("many", True)])
def test_a_mail_that_is_too_large_is_not_offered(size: str, fits: bool, relay_for: MakeRelay) -> None:
    envelope = envelope_for(message=b"Subject: x\r\n\r\n" + b"x" * 45 + b"\r\n")
    assert len(envelope.message) == 61
    with ScriptedServer(extensions=(f"SIZE {size}".strip(),)) as server:
        if fits:
            assert send_one(relay_for(server.url), envelope).code == 250
        else:
            with pytest.raises(RelayRejectsUs, match="too large") as caught:
                send_one(relay_for(server.url), envelope)
            assert (caught.value.code, caught.value.enhanced) == (552, "5.3.4")
            assert server.verbs() == ["EHLO", "QUIT"]


def test_an_old_server_is_greeted_the_old_way(relay_for: MakeRelay) -> None:
    with ScriptedServer({Step.EHLO: ["502 what?", "250 mail.example.org"]}) as server:
        assert send_one(relay_for(server.url), envelope_for()).code == 250
        assert server.verbs()[:2] == ["EHLO", "HELO"]
        assert server.commands[0].split()[1].startswith((b"[127.", socket_name()))


def socket_name() -> bytes:
    import socket

    return socket.gethostname().encode()


@MODES
def test_a_message_of_many_blocks_arrives_whole(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    message = b"Subject: long\r\n\r\n" + b"".join(b".%09d\r\n" % number for number in range(200_000))
    with ScriptedServer(extensions=extensions) as server:
        send_one(relay_for(server.url), envelope_for(message=message))
        assert server.accepted[0].message == message


@pytest.mark.parametrize("missing", range(6))
def test_the_final_dot_may_fall_on_any_place_of_a_block(missing: int, relay_for: MakeRelay) -> None:
    block = 64 * 1024
    head = b"Subject: x\r\n\r\n"
    message = head + b"x" * (block - len(head) - 2 - missing) + b"\r\n"
    with ScriptedServer(extensions=PIPELINED) as server:
        send_one(relay_for(server.url), envelope_for(message=message))
        assert server.accepted[0].message == message


def test_nothing_is_sent_on_a_closed_connection(relay_for: MakeRelay) -> None:
    async def story(relay: Relay) -> None:
        connection = await relay.connect()
        await connection.close()
        assert not connection.usable
        with pytest.raises(RelayDown):
            await connection.send(envelope_for())
        await connection.close()

    with ScriptedServer() as server:
        asyncio.run(story(relay_for(server.url)))


def test_a_url_says_where_and_how() -> None:
    assert SmtpRelay.from_url("smtp://mail.example.org").name == "mail.example.org:25"
    assert SmtpRelay.from_url("smtp+starttls://u:p@mail.example.org").name == "mail.example.org:587"
    relay = SmtpRelay.from_url("smtps://u%40example.org:p%2Fw@mail.example.org", connections=3)
    assert (relay.name, relay.limits.connections) == ("mail.example.org:465", 3)


@pytest.mark.parametrize(
    "url", ["", "http://mail.example.org", "smtp://", "smtp://u:secret-word@:25", "smtp://h:99999"]
)
def test_a_url_that_cannot_be_used_is_a_sentence(url: str) -> None:
    with pytest.raises(SettingError) as caught:
        SmtpRelay.from_url(url)
    assert "secret-word" not in str(caught.value)


def test_a_password_does_not_leave_the_host_unprotected() -> None:
    with pytest.raises(SettingError, match="unprotected"):
        SmtpRelay.from_url("smtp://user:secret-word@mail.example.org")
