"""A server that fails at each step, in both ways of speaking: what it must mean for the recipient, and for the next."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from newsletter.errors import RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs, RelayUnsure
from newsletter.mail.relay import Receipt
from newsletter.mail.smtp import SmtpRelay
from tests.smtp_servers import DROP, PIPELINED, PLAIN, RESET, STALL, Action, Say, ScriptedServer, Step, Then

from .conftest import IMPATIENT, PATIENT, SHORT_AT_THE_END, SHORT_BLOCKS, SHORT_COMMANDS, envelope_for

MakeRelay = Callable[..., SmtpRelay]
MODES = pytest.mark.parametrize("extensions", [PLAIN, PIPELINED], ids=["plain", "pipelined"])
SILENCES = pytest.mark.parametrize("action", [STALL, DROP, RESET])

GARBAGE = Say(b"\x00\xff what is this\r\n")
HALF_A_REPLY = Say(b"250-and then", then=DROP)
LONG_LINE = Say(b"250 " + b"x" * 10_000 + b"\r\n")
MIXED_CODES = Say("250-one\n451 two")
BEFORE_THE_DOT = [Step.MAIL, Step.RCPT, Step.DATA]
OPENING = [Step.GREETING, Step.EHLO]


async def outcome(relay: SmtpRelay, recipient: str = "asha@example.org") -> Receipt | RelayError:
    """What a try comes to, by one connection of its own."""
    try:
        connection = await relay.connect()
    except RelayError as error:
        return error
    try:
        return await connection.send(envelope_for(recipient))
    except RelayError as error:
        return error
    finally:
        await connection.close()


def attempt(relay: SmtpRelay) -> Receipt | RelayError:
    return asyncio.run(outcome(relay))


@MODES
@SILENCES
@pytest.mark.parametrize("step", [*OPENING, *BEFORE_THE_DOT])
def test_silence_before_the_final_dot_leaves_no_doubt(
    step: Step, action: Action, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    with ScriptedServer({step: action}, extensions=extensions) as server:
        assert type(attempt(relay_for(server.url, timeouts=IMPATIENT))) is RelayDown
        assert server.received == []


@MODES
@SILENCES
def test_silence_after_the_final_dot_is_unsure(
    action: Action, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    with ScriptedServer({Step.DOT: action}, extensions=extensions) as server:
        assert type(attempt(relay_for(server.url, timeouts=SHORT_AT_THE_END))) is RelayUnsure
        assert [received.code for received in server.received] == [0]


@MODES
@pytest.mark.parametrize("step", [*OPENING, *BEFORE_THE_DOT])
@pytest.mark.parametrize("action", [GARBAGE, HALF_A_REPLY, LONG_LINE, MIXED_CODES, "250-never\n250-ending", "199 what"])
def test_what_is_not_smtp_before_the_dot_cuts_the_connection(
    step: Step, action: Action, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    with ScriptedServer({step: action}, extensions=extensions) as server:
        assert type(attempt(relay_for(server.url, timeouts=IMPATIENT))) is RelayDown
        assert server.received == []


@MODES
@pytest.mark.parametrize(
    "action", [GARBAGE, HALF_A_REPLY, LONG_LINE, MIXED_CODES, "250-never\n250-ending", "354 go ahead", "199 what"]
)
def test_what_is_not_an_answer_to_the_message_is_unsure(
    action: Action, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    with ScriptedServer({Step.DOT: action}, extensions=extensions) as server:
        assert type(attempt(relay_for(server.url, timeouts=SHORT_AT_THE_END))) is RelayUnsure


@MODES
@pytest.mark.parametrize("step", [*OPENING, *BEFORE_THE_DOT, Step.DOT])
@pytest.mark.parametrize("then", [Then.GO_ON, DROP])
def test_421_means_down_everywhere(step: Step, then: Then, extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    with ScriptedServer({step: Say("421 4.3.2 shutting down", then)}, extensions=extensions) as server:
        error = attempt(relay_for(server.url, timeouts=PATIENT))
        assert type(error) is RelayDown
        assert (error.code, error.enhanced) == (421, "4.3.2")
        assert server.accepted == []


@MODES
@pytest.mark.parametrize(
    ("step", "reply", "expected"),
    [
        (Step.GREETING, "554 5.7.1 no service for you", RelayRejectsUs),
        (Step.GREETING, "450 4.3.2 come back later", RelayDown),
        (Step.EHLO, "550 5.7.1 bad name", RelayRejectsUs),
        (Step.EHLO, "451 4.3.0 later", RelayDown),
        (Step.MAIL, "451 4.3.0 later", RelayBusy),
        (Step.MAIL, "550 5.7.1 sender denied", RelayRejectsUs),
        (Step.MAIL, "530 5.7.0 Must issue a STARTTLS command first", RelayRejectsUs),
        (Step.RCPT, "450 4.2.0 greylisted", RelayBusy),
        (Step.RCPT, "452 4.5.3 too many recipients", RelayBusy),
        (Step.RCPT, "550 5.1.1 no such user", RelayRefused),
        (Step.RCPT, "554 5.7.1 relay access denied", RelayRejectsUs),
        (Step.DATA, "451 4.3.0 later", RelayBusy),
        (Step.DATA, "554 5.7.1 policy", RelayRejectsUs),
        (Step.DOT, "451 4.3.0 later", RelayBusy),
        (Step.DOT, "550 5.1.1 no such user", RelayRefused),
        (Step.DOT, "552 5.3.4 too big", RelayRejectsUs),
    ],
)
def test_a_refusal_has_its_named_consequence(
    step: Step, reply: str, expected: type[RelayError], extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    with ScriptedServer({step: [reply]}, extensions=extensions) as server:
        error = attempt(relay_for(server.url))
        assert type(error) is expected
        assert (error.code, error.enhanced, error.reply) == (int(reply[:3]), reply[4:9], reply)
        assert server.accepted == []


@MODES
@pytest.mark.parametrize("step", [*BEFORE_THE_DOT, Step.DOT])
def test_after_a_refusal_the_next_reader_gets_the_mail_on_the_same_connection(
    step: Step, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        with pytest.raises(RelayBusy):
            await connection.send(envelope_for("asha@example.org"))
        assert connection.usable
        await connection.send(envelope_for("ben@example.org"))
        await connection.close()

    with ScriptedServer({step: ["450 4.2.0 later"]}, extensions=extensions) as server:
        asyncio.run(story(relay_for(server.url)))
        assert [received.recipient for received in server.accepted] == ["ben@example.org"]
        assert len(server.connections) == 1


@MODES
@pytest.mark.parametrize("reset", ["500 what?", "354 go ahead", DROP, STALL, GARBAGE])
def test_a_server_that_cannot_start_anew_is_left(
    reset: Action, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        with pytest.raises(RelayRefused):
            await connection.send(envelope_for("asha@example.org"))
        with pytest.raises(RelayDown):
            await connection.send(envelope_for("ben@example.org"))
        assert not connection.usable
        await connection.close()

    script = {Step.RCPT: ["550 5.1.1 no such user"], Step.RSET: reset}
    with ScriptedServer(script, extensions=extensions) as server:
        asyncio.run(story(relay_for(server.url, timeouts=SHORT_COMMANDS)))
        assert server.accepted == []


def test_354_for_a_refused_reader_is_ended_with_a_lone_dot(relay_for: MakeRelay) -> None:
    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        with pytest.raises(RelayRefused):
            await connection.send(envelope_for("asha@example.org"))
        assert connection.usable
        await connection.send(envelope_for("ben@example.org"))
        await connection.close()

    script = {Step.RCPT: ["550 5.1.1 no such user"], Step.DATA: ["354 go ahead"]}
    with ScriptedServer(script, extensions=PIPELINED) as server:
        asyncio.run(story(relay_for(server.url)))
        assert [received.recipient for received in server.received] == ["ben@example.org"]
        verbs = ["EHLO", "MAIL", "RCPT", "DATA", ".", "RSET", "MAIL", "RCPT", "DATA", ".", "QUIT"]
        assert server.verbs() == verbs


@pytest.mark.parametrize("answer", ["250 2.0.0 an empty mail for nobody, thank you", "421 4.3.2 bye", DROP, STALL])
def test_a_lone_dot_that_is_not_refused_ends_the_connection(answer: Action, relay_for: MakeRelay) -> None:
    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        with pytest.raises(RelayRefused):
            await connection.send(envelope_for("asha@example.org"))
        assert not connection.usable
        await connection.close()

    script = {Step.RCPT: "550 5.1.1 no such user", Step.DATA: "354 go ahead", Step.DOT: answer}
    with ScriptedServer(script, extensions=PIPELINED) as server:
        asyncio.run(story(relay_for(server.url, timeouts=SHORT_AT_THE_END)))


def test_354_after_a_refused_sender_never_makes_an_empty_mail(relay_for: MakeRelay) -> None:
    script = {Step.MAIL: "550 5.7.1 not you", Step.RCPT: "250 2.1.5 ok", Step.DATA: "354 go ahead"}
    with ScriptedServer(script, extensions=PIPELINED) as server:
        assert type(attempt(relay_for(server.url))) is RelayRejectsUs
        assert b"." not in server.commands


@MODES
def test_a_refusal_counts_although_the_server_then_goes(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    with ScriptedServer({Step.RCPT: Say("550 5.1.1 no such user", DROP)}, extensions=extensions) as server:
        assert type(attempt(relay_for(server.url))) is RelayRefused


@MODES
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT])
def test_an_answer_of_the_wrong_kind_is_not_taken_for_consent(
    step: Step, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    with ScriptedServer({step: "354 go ahead"}, extensions=extensions) as server:
        assert type(attempt(relay_for(server.url))) is RelayDown
        assert server.received == []


@MODES
def test_250_to_data_is_not_an_invitation(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    with ScriptedServer({Step.DATA: "250 ok"}, extensions=extensions) as server:
        assert type(attempt(relay_for(server.url))) is RelayDown
        assert server.received == []


@MODES
def test_one_reply_too_many_is_never_taken_for_the_next_one(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    """After 354 an extra 250 lies ready: read as the answer to the message, it would make a lie of the ledger."""
    with ScriptedServer(
        {Step.DATA: "354 go ahead\n250 2.0.0 queued", Step.DOT: STALL}, extensions=extensions
    ) as server:
        assert type(attempt(relay_for(server.url, timeouts=SHORT_AT_THE_END))) is RelayDown
        assert server.received == []


@MODES
def test_a_reply_after_the_receipt_makes_the_connection_useless(
    extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        await connection.send(envelope_for("asha@example.org"))
        assert not connection.usable
        with pytest.raises(RelayDown):
            await connection.send(envelope_for("ben@example.org"))
        await connection.close()

    with ScriptedServer({Step.DOT: "250 2.0.0 queued\n250 2.0.0 and once more"}, extensions=extensions) as server:
        asyncio.run(story(relay_for(server.url)))
        assert server.verbs().count("MAIL") == 1


@MODES
@pytest.mark.parametrize("step", [*BEFORE_THE_DOT, Step.DOT])
@pytest.mark.parametrize("answer", ["421 4.3.2 shutting down", "221 what?"])
def test_a_connection_in_doubt_is_not_used_again(
    step: Step, answer: str, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    """The server stays, as if nothing had happened: it is we who leave."""

    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        with pytest.raises((RelayDown, RelayUnsure)):
            await connection.send(envelope_for("asha@example.org"))
        assert not connection.usable
        with pytest.raises(RelayDown):
            await connection.send(envelope_for("ben@example.org"))
        await connection.close()

    if answer.startswith("2"):
        answer = "354 what?" if step is not Step.DATA else "250 what?"
    with ScriptedServer({step: [answer]}, extensions=extensions) as server:
        asyncio.run(story(relay_for(server.url)))
        assert server.verbs().count("MAIL") == 1
        assert server.accepted == []


def test_a_refusal_with_a_good_bye_behind_it_ends_the_connection(relay_for: MakeRelay) -> None:
    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        with pytest.raises(RelayRefused):
            await connection.send(envelope_for("asha@example.org"))
        assert not connection.usable
        await connection.close()

    script = {Step.RCPT: "550 5.1.1 no such user", Step.DATA: "421 4.7.0 too many errors"}
    with ScriptedServer(script, extensions=PIPELINED) as server:
        asyncio.run(story(relay_for(server.url)))


@MODES
@SILENCES
def test_a_final_dot_that_is_stuck_in_our_own_buffer_leaves_no_doubt(
    action: Action, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    """The kernel is given little room, so that the one block of the message cannot all leave this process."""

    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        sock = connection._wire.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with pytest.raises(RelayDown):
            await connection.send(envelope_for(message=b"Subject: x\r\n\r\n" + b"y\r\n" * 20_000))
        assert not connection.usable
        await connection.close()

    with ScriptedServer({Step.BODY: action}, extensions=extensions, receive_buffer=4096) as server:
        asyncio.run(story(relay_for(server.url, timeouts=SHORT_BLOCKS)))
        assert server.received == []


@MODES
def test_an_early_refusal_of_a_long_message_is_heard(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    """The server answers 552 and stops reading: the rest, and so the dot, never leaves."""
    announced: list[str] = []

    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        long = b"Subject: long\r\n\r\n" + b"x" * 70 + b"\r\n"
        long += (b"y" * 70 + b"\r\n") * 400_000
        with pytest.raises(RelayRejectsUs):
            await connection.send(envelope_for(message=long), before_final_dot=lambda: announced.append("dot"))
        assert not connection.usable
        await connection.close()

    with ScriptedServer({Step.BODY: Say("552 5.3.4 too big", STALL)}, extensions=extensions) as server:
        asyncio.run(story(relay_for(server.url, timeouts=SHORT_BLOCKS)))
        assert announced == []


@MODES
@SILENCES
def test_a_server_that_stops_reading_a_long_message_leaves_no_doubt(
    action: Action, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        with pytest.raises(RelayDown):
            await connection.send(envelope_for(message=b"Subject: long\r\n\r\n" + b"y\r\n" * 10_000_000))
        assert not connection.usable
        await connection.close()

    with ScriptedServer({Step.BODY: action}, extensions=extensions[:1]) as server:
        asyncio.run(story(relay_for(server.url, timeouts=SHORT_BLOCKS)))


@MODES
def test_no_dot_leaves_when_the_worker_says_no(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    class LeaseLost(Exception):
        pass

    def say_no() -> None:
        raise LeaseLost

    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        with pytest.raises(LeaseLost):
            await connection.send(envelope_for(), before_final_dot=say_no)
        assert not connection.usable
        await connection.close()

    with ScriptedServer(extensions=extensions) as server:
        asyncio.run(story(relay_for(server.url)))
        assert server.received == []


@MODES
def test_the_dot_is_announced_once_and_only_when_the_server_is_ready(
    extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    announced: list[int] = []

    async def story(relay: SmtpRelay, server: ScriptedServer) -> None:
        connection = await relay.connect()
        with pytest.raises(RelayRefused):
            await connection.send(envelope_for("gone@example.org"), before_final_dot=lambda: announced.append(-1))
        for number in range(3):
            await connection.send(envelope_for(), before_final_dot=lambda: announced.append(len(server.received)))
            assert len(announced) == number + 1
        await connection.close()

    with ScriptedServer(extensions=extensions, recipients={"gone@example.org": "550 5.1.1 gone"}) as server:
        asyncio.run(story(relay_for(server.url), server))
        assert announced == [0, 1, 2]


@MODES
def test_a_task_that_is_cancelled_leaves_no_half_message(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        task = asyncio.create_task(connection.send(envelope_for()))
        while not any(verb == "DATA" for verb in server.verbs()):
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not connection.usable
        await connection.close()

    with ScriptedServer({Step.DATA: STALL}, extensions=extensions) as server:
        asyncio.run(story(relay_for(server.url)))
        assert server.received == []


def test_a_server_that_goes_while_we_wait_is_noticed(relay_for: MakeRelay) -> None:
    async def story(relay: SmtpRelay) -> None:
        connection = await relay.connect()
        await connection.send(envelope_for())
        while connection.usable:
            await asyncio.sleep(0.005)
        with pytest.raises(RelayDown):
            await connection.send(envelope_for())
        await connection.close()

    with ScriptedServer({Step.DOT: Say("250 2.0.0 queued", DROP)}) as server:
        asyncio.run(story(relay_for(server.url)))
        assert len(server.accepted) == 1


def test_nobody_listening_is_down(relay_for: MakeRelay) -> None:
    with ScriptedServer() as server:
        url = server.url
    assert type(attempt(relay_for(url))) is RelayDown
    error = attempt(relay_for("smtp://no-such-host.invalid:25"))
    assert type(error) is RelayDown
    assert "no-such-host.invalid" in str(error)


@pytest.mark.parametrize("step", [*OPENING, *BEFORE_THE_DOT, Step.DOT])
@MODES
def test_replies_in_pieces_are_put_together(step: Step, extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    good = {Step.GREETING: "220-one\n220 two", Step.DATA: "354 go"}
    offers = "\n".join(f"250-{offer}" for offer in ("mail.example.org", *extensions)) + "\n250 HELP"
    text = offers if step is Step.EHLO else good.get(step, "250-2.0.0 one\n250-2.0.0 two\n250 2.0.0 three")
    with ScriptedServer({step: Say(text, pieces=9)}, extensions=extensions) as server:
        assert isinstance(attempt(relay_for(server.url)), Receipt)
        assert len(server.accepted) == 1
