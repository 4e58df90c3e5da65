"""A connection that works through a mailing: what each reader gets, and that no answer is taken for another's."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from newsletter.errors import RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs, RelayUnsure
from newsletter.mail.relay import Envelope, Receipt
from newsletter.mail.smtp import SmtpRelay
from newsletter.mail.smtp_connection import SmtpConnection
from tests.smtp_servers import (
    DROP,
    PIPELINED,
    PLAIN,
    RESET,
    STALL,
    AcceptingServer,
    Action,
    Authority,
    Say,
    ScriptedServer,
    Step,
    Then,
)

from .conftest import IMPATIENT, PATIENT, SHORT_AT_THE_END, SHORT_BLOCKS, SHORT_COMMANDS, envelope_for, larkmere, reader

MakeRelay = Callable[..., SmtpRelay]
MODES = pytest.mark.parametrize("extensions", [PLAIN, PIPELINED], ids=["plain", "pipelined"])
ASHA, BEN, CARYS, DEV = "asha@example.org", "ben@example.org", "carys@example.org", "dev@example.org"
ALL = (ASHA, BEN, CARYS, DEV)
STEPS = (Step.MAIL, Step.RCPT, Step.DATA, Step.DOT)
GARBAGE = Say(b"\x00\xff what is this\r\n")


@dataclass
class Post:
    """A mailing that keeps the book: who was given out, whose dot was announced, what came of each, in order."""

    waiting: list[Envelope]
    events: list[str] = field(default_factory=list)
    outcomes: dict[str, Receipt | RelayError] = field(default_factory=dict)
    out: list[str] = field(default_factory=list)
    most_out: int = 0

    def next_ready(self) -> Envelope | None:
        if not self.waiting:
            return None
        envelope = self.waiting.pop(0)
        self.events.append(f"given {envelope.recipient}")
        self.out.append(envelope.recipient)
        self.most_out = max(self.most_out, len(self.out))
        return envelope

    def before_final_dot(self, envelope: Envelope) -> None:
        assert envelope.recipient in self.out
        self.events.append(f"dot {envelope.recipient}")

    def settled(self, envelope: Envelope, outcome: Receipt | RelayError) -> None:
        self.out.remove(envelope.recipient)
        assert envelope.recipient not in self.outcomes, "settled twice"
        self.events.append(f"settled {envelope.recipient}")
        self.outcomes[envelope.recipient] = outcome

    def types(self) -> list[type[Receipt | RelayError]]:
        """What came of those who were given out, in the order of `ALL`."""
        return [type(self.outcomes[recipient]) for recipient in ALL if recipient in self.outcomes]


def post_for(*recipients: str, message: bytes = b"Subject: hello\r\n\r\nhello\r\n") -> Post:
    return Post([envelope_for(recipient, message) for recipient in recipients or ALL])


def work(relay: SmtpRelay, post: Post) -> bool:
    """One connection through the mailing. Whether it could still be used then."""

    async def story() -> bool:
        connection = await relay.connect()
        await connection.work(post)
        usable = connection.usable
        await connection.close()
        return usable

    return asyncio.run(story())


def check_the_book(server: ScriptedServer, post: Post) -> None:
    """What the book says is what the server did; only "unsure" may be either."""
    assert post.out == [], "taken and not settled"
    taken = Counter(received.recipient for received in server.accepted)
    for recipient, outcome in post.outcomes.items():
        if isinstance(outcome, Receipt):
            assert taken[recipient] == 1, f"{recipient} was not taken"
        elif not isinstance(outcome, RelayUnsure):
            assert taken[recipient] == 0, f"{recipient} was taken, and the book says {outcome}"
    assert not set(taken) - set(post.outcomes)
    assert sum(isinstance(outcome, RelayUnsure) for outcome in post.outcomes.values()) <= len(server.connections)


def test_the_next_envelope_rides_behind_the_final_dot(relay_for: MakeRelay) -> None:
    """The server holds back each answer to a message until the next DATA: who waits for it would wait for ever."""
    held = {recipient: Say("250 2.0.0 queued", held=True) for recipient in (ASHA, BEN, CARYS)}
    with ScriptedServer(extensions=PIPELINED, grouped=True, messages=held) as server:
        post = post_for()
        assert work(relay_for(server.url), post)
        assert [received.recipient for received in server.accepted] == list(ALL)
        assert server.verbs() == ["EHLO", *["MAIL", "RCPT", "DATA", "."] * 4, "QUIT"]
    assert post.types() == [Receipt] * 4


@MODES
def test_messages_are_asked_for_as_they_are_needed(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    with ScriptedServer(extensions=extensions) as server:
        post = post_for(ASHA, BEN)
        assert work(relay_for(server.url), post)
    one_by_one = [f"{what} {who}" for who in (ASHA, BEN) for what in ("given", "dot", "settled")]
    ahead = [f"given {ASHA}", f"given {BEN}", f"dot {ASHA}", f"settled {ASHA}", f"dot {BEN}", f"settled {BEN}"]
    assert post.events == (ahead if extensions is PIPELINED else one_by_one)


@MODES
def test_work_goes_on_when_there_is_something_again(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    async def story(relay: SmtpRelay, first: Post, second: Post) -> None:
        connection = await relay.connect()
        await connection.work(post_for())
        await connection.work(first)
        await connection.send(envelope_for("eve@example.org"))
        await connection.work(second)
        assert connection.usable
        await connection.close()

    first, second = post_for(ASHA), post_for(BEN, CARYS)
    with ScriptedServer(extensions=extensions) as server:
        asyncio.run(story(relay_for(server.url), first, second))
        assert len(server.connections) == 1
        assert len(server.accepted) == 8
    assert [*first.types(), *second.types()] == [Receipt] * 3


@pytest.mark.parametrize("pipelining", [False, True])
def test_500_readers_over_4_connections_get_each_their_own_mail(pipelining: bool, relay_for: MakeRelay) -> None:
    compiled = larkmere(html="<p>.</p>\n.\n..\nFrom here\n{unsubscribe_url} {preferences_url}")
    envelopes = [
        Envelope(f"b+{number}@example.org", f"reader{number}@example.org", compiled.fill(reader(number)), number)
        for number in range(500)
    ]

    async def story(relay: SmtpRelay, post: Post) -> None:
        connections = [await relay.connect() for _ in range(4)]
        await asyncio.gather(*(connection.work(post) for connection in connections))
        for connection in connections:
            await connection.close()

    with AcceptingServer(pipelining=pipelining) as server:
        post = Post(list(envelopes))
        asyncio.run(story(relay_for(server.url), post))
        received = {(one.sender, one.recipient, one.message) for one in server.received}
    assert len(server.received) == 500
    assert received == {(one.sender, one.recipient, one.message) for one in envelopes}
    assert {type(outcome) for outcome in post.outcomes.values()} == {Receipt}
    assert post.most_out <= 4 * (1 + pipelining)


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
def test_a_mailing_goes_over_tls(implicit: bool, authority: Authority, relay_for: MakeRelay) -> None:
    message = larkmere().fill(reader())
    with ScriptedServer(tls=authority.server(), implicit=implicit, extensions=PIPELINED) as server:
        post = post_for(*(f"reader{number}@example.org" for number in range(20)), message=message)
        assert work(relay_for(server.url, ca_file=authority.file), post)
        assert [received.message for received in server.accepted] == [message] * 20
        check_the_book(server, post)


# Refusals between acceptances


WAYS_TO_ANSWER: dict[str, tuple[Step, str, type[Receipt | RelayError]]] = {
    "taken": (Step.DOT, "250 2.0.0 queued {}", Receipt),
    "unknown": (Step.RCPT, "550 5.1.1 no such user {}", RelayRefused),
    "greylisted": (Step.RCPT, "450 4.2.0 greylisted {}", RelayBusy),
    "many lines": (Step.RCPT, "550-5.1.1 no\n550-5.1.1 such\n550 5.1.1 user {}", RelayRefused),
    "later": (Step.DOT, "451 4.3.0 later {}", RelayBusy),
    "spam": (Step.DOT, "554 5.7.1 spam {}", RelayRejectsUs),
    "full": (Step.DOT, "552 5.2.2 full {}", RelayRefused),
}


@MODES
@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "354 for nobody"])
@pytest.mark.parametrize("seed", range(6))
def test_each_reader_gets_the_answer_that_was_theirs(
    seed: int, lenient: bool, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    chance = random.Random(seed)
    ways = {f"reader{number}@example.org": chance.choice([*WAYS_TO_ANSWER]) for number in range(40)}
    said = {
        recipient: (WAYS_TO_ANSWER[way][0], WAYS_TO_ANSWER[way][1].format(recipient)) for recipient, way in ways.items()
    }
    script: dict[Step, Action] = {Step.DATA: "354 go ahead"} if lenient and extensions is PIPELINED else {}
    with ScriptedServer(
        script,
        extensions=extensions,
        recipients={recipient: text for recipient, (step, text) in said.items() if step is Step.RCPT},
        messages={recipient: text for recipient, (step, text) in said.items() if step is Step.DOT},
    ) as server:
        post = post_for(*ways)
        assert work(relay_for(server.url), post)
        assert len(server.connections) == 1
        check_the_book(server, post)
    for recipient, way in ways.items():
        outcome = post.outcomes[recipient]
        assert type(outcome) is WAYS_TO_ANSWER[way][2]
        assert outcome.reply.endswith(recipient)


@MODES
def test_what_cannot_be_said_costs_no_byte_and_the_others_go(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    good = envelope_for(ASHA), envelope_for(BEN)
    bad = envelope_for("v w@example.org"), envelope_for(CARYS, b"a\nb"), envelope_for(DEV, b"x" * 2000)
    with ScriptedServer(extensions=(*extensions[:1], "SIZE 1000")) as server:
        post = Post([bad[0], good[0], bad[1], bad[2], good[1]])
        assert work(relay_for(server.url), post)
        assert [received.recipient for received in server.received] == [ASHA, BEN]
        assert server.verbs().count("MAIL") == 2
        check_the_book(server, post)
    assert type(post.outcomes["v w@example.org"]) is RelayRefused
    assert post.types() == [Receipt, Receipt, RelayRejectsUs, RelayRejectsUs]


# The server goes, or loses its way


@MODES
@pytest.mark.parametrize("then", [Then.GO_ON, DROP])
@pytest.mark.parametrize("step", STEPS)
def test_421_settles_what_was_answered_and_nothing_after_it(
    step: Step, then: Then, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    script: dict[Step, Sequence[Action]] = {step: [Then.GO_ON, Say("421 4.3.2 shutting down", then)]}
    with ScriptedServer(script, extensions=extensions) as server:
        post = post_for()
        assert not work(relay_for(server.url), post)
        check_the_book(server, post)
        assert [received.recipient for received in server.accepted] == [ASHA]
    error = post.outcomes[BEN]
    assert isinstance(error, RelayDown)
    assert (error.code, error.enhanced) == (421, "4.3.2")
    assert post.types() == [Receipt, RelayDown, *[RelayDown] * (CARYS in post.outcomes)]
    assert (CARYS in post.outcomes) is (step is Step.DOT and extensions is PIPELINED)
    assert DEV not in post.outcomes


@MODES
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "twice",
    ["250 2.0.0 ok\n250 2.0.0 ok", "250 2.0.0 ok\n550 5.1.1 no", "550 5.1.1 no\n250 2.0.0 ok", "354 go\n250 2.0.0 ok",
     "354 go\n354 go", "451 4.3.0 later\n451 4.3.0 later", "250 2.0.0 ok\n354 go"],
)  # fmt: skip
def test_two_answers_for_one_never_make_a_lie(
    step: Step, twice: str, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    """Whichever message the second one is taken for: nobody is called accepted who was not, and the other way."""
    with ScriptedServer({step: [Then.GO_ON, twice]}, extensions=extensions) as server:
        post = post_for()
        assert not work(relay_for(server.url, timeouts=SHORT_COMMANDS), post)
        check_the_book(server, post)
    assert isinstance(post.outcomes[ASHA], Receipt)


@MODES
@pytest.mark.parametrize("action", [DROP, RESET, GARBAGE, Say("250-and then", DROP), "199 what?"])
@pytest.mark.parametrize("step", [*STEPS, Step.BODY])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_connection_that_breaks_anywhere_leaves_one_in_doubt_at_most(
    at: int, step: Step, action: Action, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    with ScriptedServer({step: [*[Then.GO_ON] * at, action]}, extensions=extensions) as server:
        post = post_for()
        assert not work(relay_for(server.url), post)
        check_the_book(server, post)
        assert post.types()[:at] == [Receipt] * at
        assert len(post.outcomes) <= at + 2
        doubtful = [who for who, outcome in post.outcomes.items() if isinstance(outcome, RelayUnsure)]
        assert doubtful in ([], [ALL[at]])
        if step is Step.DOT:
            assert doubtful == [ALL[at]]
        elif step is not Step.BODY:
            assert doubtful == []


@MODES
@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_falls_silent_between_two_messages(
    step: Step, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    short = {Step.DOT: SHORT_AT_THE_END, Step.DATA: replace(PATIENT, data=0.5, leave=0.2)}
    timeouts = short.get(step, SHORT_COMMANDS)
    with ScriptedServer({step: [Then.GO_ON, STALL]}, extensions=extensions) as server:
        post = post_for()
        assert not work(relay_for(server.url, timeouts=timeouts), post)
        check_the_book(server, post)
    assert type(post.outcomes[BEN]) is (RelayUnsure if step is Step.DOT else RelayDown)


TEXTS = ["250 2.0.0 ok", "354 go", "451 4.3.0 later", "550 5.1.1 no", "421 4.3.2 bye", "554 5.7.1 policy"]
MOODS: list[Action] = [
    *[Then.GO_ON] * 30, DROP, RESET, GARBAGE, *TEXTS, *(Say(text, DROP) for text in TEXTS),
    Say("250-two\n250 lines", pieces=5), "250 2.0.0 ok\n250 2.0.0 ok", "354 go\n451 4.3.0 later", Say(b"250"),
]  # fmt: skip
#: A 250 that comes before the message has been read is a lie that nobody can tell from the truth.
MOODS_WHILE_READING: list[Action] = [*[Then.GO_ON] * 30, DROP, RESET, GARBAGE, *(Say(text, DROP) for text in TEXTS[2:])]


@pytest.mark.parametrize("seed", range(40))
def test_whatever_servers_do_the_book_is_true(seed: int, relay_for: MakeRelay) -> None:
    """Connections to a server out of its mind, one after the other, until everybody is settled."""
    chance = random.Random(seed)

    def script() -> dict[Step, Sequence[Action]]:
        moods: dict[Step, Sequence[Action]] = {step: chance.choices(MOODS, k=12) for step in [*STEPS, Step.RSET]}
        return moods | {Step.BODY: chance.choices(MOODS_WHILE_READING, k=12)}

    recipients = [f"reader{number}@example.org" for number in range(30)]
    with ScriptedServer(*(script() for _ in range(40)), extensions=PIPELINED if seed % 3 else PLAIN) as server:
        post = post_for(*recipients)
        while post.waiting:
            with suppress(RelayDown):  # a machine so busy that it took too long to say hello
                work(relay_for(server.url, timeouts=IMPATIENT), post)
        check_the_book(server, post)
    assert set(post.outcomes) == set(recipients)


# We ourselves stop


class LeaseLost(Exception):
    """A worker may no longer vouch for what it sends."""


@MODES
@pytest.mark.parametrize("vouched", [0, 1, 2])
def test_no_dot_leaves_once_the_worker_cannot_vouch(
    vouched: int, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    class Careful(Post):
        def before_final_dot(self, envelope: Envelope) -> None:
            super().before_final_dot(envelope)
            if len(self.outcomes) == vouched:
                raise LeaseLost

    async def story(relay: SmtpRelay, post: Post) -> None:
        connection = await relay.connect()
        with pytest.raises(LeaseLost):
            await connection.work(post)
        assert not connection.usable
        await connection.close()

    with ScriptedServer(extensions=extensions) as server:
        post = Careful(post_for().waiting)
        asyncio.run(story(relay_for(server.url), post))
        check_the_book(server, post)
        assert [received.recipient for received in server.received] == list(ALL[:vouched])
    ahead = 1 + (extensions is PIPELINED)
    assert post.types() == [*[Receipt] * vouched, *[RelayDown] * ahead]


@MODES
@pytest.mark.parametrize("step", STEPS)
def test_a_task_that_is_cancelled_settles_what_it_took(
    step: Step, extensions: tuple[str, ...], relay_for: MakeRelay
) -> None:
    def has_come(server: ScriptedServer) -> bool:
        return server.verbs().count(step.value if step is not Step.DOT else ".") == 2

    async def story(relay: SmtpRelay, post: Post, server: ScriptedServer) -> None:
        connection = await relay.connect()
        task = asyncio.create_task(connection.work(post))
        while not has_come(server) or len(post.outcomes) < 1:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not connection.usable
        await connection.close()

    with ScriptedServer({step: [Then.GO_ON, STALL]}, extensions=extensions) as server:
        post = post_for()
        asyncio.run(story(relay_for(server.url), post, server))
        check_the_book(server, post)
    if step is Step.DOT:
        assert post.types() == [Receipt, RelayUnsure, *[RelayDown] * (extensions is PIPELINED)]
    else:
        assert post.types() == [Receipt, RelayDown]


def test_an_answer_that_has_come_counts_although_the_task_is_cancelled(relay_for: MakeRelay) -> None:
    """The answer is read from the socket and the task is cancelled before it is looked at: no need to ask a person."""

    async def story(relay: SmtpRelay, post: Post) -> None:
        connection = await relay.connect()
        task = asyncio.create_task(connection.work(post))
        while connection._wire.peek() is None or f"dot {ASHA}" not in post.events:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await connection.close()

    with ScriptedServer({Step.MAIL: [Then.GO_ON, STALL]}, extensions=PIPELINED) as server:
        post = post_for(ASHA)
        asyncio.run(story(relay_for(server.url), post))
        check_the_book(server, post)
    assert post.types() == [Receipt]


@pytest.mark.parametrize(
    "action",
    [STALL, DROP, RESET, Say("250 2.0.0 queued", STALL, after=9000), Say("421 4.3.2 bye", DROP, after=9000)],
)
def test_a_final_dot_stuck_in_our_own_buffer_leaves_nobody_in_doubt(action: Action, relay_for: MakeRelay) -> None:
    """The kernel is given little room, so that the message and what rides behind it cannot leave this process.

    Whatever is answered then is no answer to it.
    """

    async def story(relay: SmtpRelay, post: Post) -> None:
        connection = await relay.connect()
        narrow(connection)
        await connection.work(post)
        assert not connection.usable
        await connection.close()

    with ScriptedServer({Step.BODY: action}, extensions=PIPELINED, receive_buffer=4096) as server:
        post = post_for(message=b"Subject: x\r\n\r\n" + b"y\r\n" * 20_000)
        asyncio.run(story(relay_for(server.url, timeouts=SHORT_BLOCKS), post))
        assert server.received == []
    assert post.types() == [RelayDown, RelayDown]


def narrow(connection: SmtpConnection) -> None:
    """Let the kernel hold no more than a few kilobytes that we have written."""
    connection._wire.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


@MODES
def test_slow_readers_get_their_mail_whole(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    """The same little room, and a server that does read: message after message waits to leave, and all arrive."""

    async def story(relay: SmtpRelay, post: Post) -> None:
        connection = await relay.connect()
        narrow(connection)
        await connection.work(post)
        assert connection.usable
        await connection.close()

    message = b"Subject: x\r\n\r\n" + b"y\r\n" * 30_000
    with ScriptedServer(extensions=extensions, receive_buffer=4096) as server:
        post = post_for(message=message)
        asyncio.run(story(relay_for(server.url), post))
        check_the_book(server, post)
        assert [received.message for received in server.accepted] == [message] * 4


@MODES
def test_an_early_refusal_takes_nobody_else_with_it(extensions: tuple[str, ...], relay_for: MakeRelay) -> None:
    """552 while the message is still being written: it is refused, and the next one was not even asked for."""
    message = b"Subject: long\r\n\r\n" + (b"y" * 70 + b"\r\n") * 400_000
    with ScriptedServer({Step.BODY: Say("552 5.2.2 full", STALL)}, extensions=extensions) as server:
        post = post_for(message=message)
        assert not work(relay_for(server.url, timeouts=SHORT_BLOCKS), post)
    assert post.events == [f"given {ASHA}", f"settled {ASHA}"]
    assert post.types() == [RelayRefused]


# How many messages a connection carries


@MODES
def test_a_connection_carries_as_many_messages_as_it_may(extensions: tuple[str, ...]) -> None:
    async def story(relay: SmtpRelay, post: Post) -> None:
        while post.waiting:
            connection = await relay.connect()
            await connection.work(post)
            assert not connection.usable or not post.waiting
            if not connection.usable:
                with pytest.raises(RelayDown, match="as many messages"):
                    await connection.send(envelope_for())
            await connection.close()

    with ScriptedServer(extensions=extensions) as server:
        post = post_for(*(f"reader{number}@example.org" for number in range(7)))
        relay = SmtpRelay.from_url(server.url, messages_per_connection=3, timeouts=PATIENT)
        asyncio.run(story(relay, post))
        check_the_book(server, post)
        assert len(server.accepted) == 7
        verbs = [[command.split(b" ")[0] for command in log.commands] for log in server.connections]
        assert [log.count(b"MAIL") for log in verbs] == [3, 3, 1]
        assert [log[-1] for log in verbs] == [b"QUIT"] * 3


def test_nothing_is_asked_for_on_a_closed_connection(relay_for: MakeRelay) -> None:
    async def story(relay: SmtpRelay, post: Post) -> None:
        connection: SmtpConnection = await relay.connect()
        await connection.close()
        await connection.work(post)

    with ScriptedServer() as server:
        post = post_for()
        asyncio.run(story(relay_for(server.url), post))
    assert post.events == []
