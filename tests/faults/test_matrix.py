"""A server that misbehaves at each point in each way: nobody is lost, nobody gets it twice, the totals add up."""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

import pytest
from flask import Flask

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.pace.pacing import Breaker
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.delivery.run.running import Ending
from newsletter.mail.memory import MemoryRelay
from newsletter.mail.smtp import SmtpRelay
from newsletter.mail.smtp_wire import Timeouts
from newsletter.models import Issue, MailingList
from newsletter.states import DeliveryState, IssueState
from tests import people
from tests.databases import opened
from tests.delivery.sending import makers
from tests.delivery.sending.conftest import worker_app
from tests.faults.server import Chaos, Fault, FaultyServer, Kind, Point
from tests.faults.tally import Figures
from tests.smtp_servers import Authority

READERS = 20
CONNECTIONS = 4
#: A run takes a second or two, at worst; reaching this is a failure.
PATIENCE_SECONDS = 8
NOW = datetime(2026, 12, 7, 10, 0, tzinfo=UTC)
#: After every backoff, and before a message is given up.
LATER = timedelta(hours=10)
#: The server is lost more than once, but not as often in a row as stops a run.
NOW_AND_THEN = frozenset({2, 5, 6})

#: How many runs in which anything may go wrong; a long run sets its own number, and a seed to see one again.
CHAOS = int(os.environ.get("NEWSLETTER_TEST_CHAOS", "20"))
SEED = int(os.environ.get("NEWSLETTER_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)

PATIENT = Timeouts().scaled(0.1)
#: For a server that is silent. What a busy machine cuts off besides is one connection more, and is counted as such.
IMPATIENT = Timeouts(connect=0.1, greeting=0.1, command=0.1, data=0.1, block=0.1, final=0.1, leave=0.1)
LATE_SECONDS = 0.15

ACCEPTED, UNSURE, REFUSED = DeliveryState.ACCEPTED, DeliveryState.UNSURE, DeliveryState.REFUSED
#: Only an answer about a recipient, or a message, refuses anybody.
ABOUT_THE_RECIPIENT = {Point.RCPT, Point.DATA, Point.BODY, Point.BEFORE}
#: What is said before a message has begun can leave nobody in doubt, whatever it is.
BEFORE_A_MESSAGE = {Point.CONNECT, Point.BANNER, Point.EHLO, Point.STARTTLS, Point.AUTH, Point.MAIL, Point.RCPT}


def leaves_no_doubt(fault: Fault) -> bool:
    """A refusal is an answer, wherever it comes. (A connection that is reset may take an answer with it.)"""
    return fault.kind in (Kind.LATER, Kind.NEVER) or (
        fault.kind in (Kind.GARBAGE, Kind.TWICE) and fault.point in BEFORE_A_MESSAGE
    )


@dataclass(frozen=True)
class Way:
    """How the two speak with one another."""

    name: str
    pipelining: bool
    tls: bool


PLAIN = Way("one command at a time", pipelining=False, tls=False)
PIPELINED = Way("pipelined", pipelining=True, tls=False)
SECURED = Way("pipelined under TLS", pipelining=True, tls=True)
SECURED_PLAIN = Way("one command at a time under TLS", pipelining=False, tls=True)


def ways(point: Point) -> tuple[Way, ...]:
    return (SECURED, SECURED_PLAIN) if point in (Point.STARTTLS, Point.AUTH) else (PLAIN, PIPELINED, SECURED)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("matrix")
    return Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'newsletter.db'}",
        public_url="https://news.example.org",
        secret_keys=("a-test-key-that-is-long-enough-to-be-used",),
    )


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    """One installation for the whole matrix; each case is an issue of its own."""
    with opened(worker_app(settings, MemoryRelay())) as app:
        db.create_all()
        yield app


@pytest.fixture(scope="module")
def mailing_list(app: Flask) -> MailingList:
    mailing_list = people.larkmere(NOW)
    people.subscribers(NOW, mailing_list, READERS)
    return mailing_list


@contextmanager
def in_the_end(seconds: int) -> Iterator[None]:
    """A run that goes on for ever is a failure, not a test that never ends."""

    def too_long(*_: object) -> None:
        raise AssertionError(f"The run has not ended after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    # Again and again: the first may end a task and not the run.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def send(issue: Issue, server: FaultyServer, authority: Authority, at: datetime, timeouts: Timeouts) -> Ending:
    relay = SmtpRelay.from_url(
        server.url, connections=CONNECTIONS, timeouts=timeouts, ca_file=authority.file if server.tls else None
    )
    breaker = Breaker(waits=(0.0, 0.0, 0.0, 0.0))
    with in_the_end(PATIENCE_SECONDS):
        ending = engine.send_issue(issue.id, read_clock=lambda: at, relay=relay, breaker=breaker)
    db.session.rollback()
    return ending


def check(issue: Issue, server: FaultyServer, ending: Ending) -> Counter[DeliveryState]:
    """What must hold at any time: the server's record and ours agree, and say so of each reader."""
    server.quiet()
    found = accounts.counts(issue)
    assert accounts.verify(issue) == []
    assert (found.adds_up, found.total, found.claimed) == (True, READERS, 0)
    states = makers.states(issue)
    copies = Counter(each.recipient for each in server.taken)
    answered = Counter(each.recipient for each in server.taken if each.code == 250)
    for address, state in states.items():
        has = copies[address]
        if state is ACCEPTED:
            assert (has, answered[address]) == (1, 1), f"{address} is called accepted and has {has} copies"
        elif state is UNSURE:
            assert has <= 1, f"{address} is unsure and has {has} copies"
        else:
            assert has == 0, f"{address} is {state} and has {has} copies"
    assert found.unsure <= server.lost, "each connection that breaks leaves one in doubt at most"
    for taken in server.taken:
        # A message for one in an envelope for another would show people each other's links.
        assert taken.recipient in (message_from_bytes(taken.message)["To"] or ""), taken
    assert (issue.state is IssueState.PAUSED) == (ending is Ending.BROKEN)
    if ending is Ending.DONE:
        assert found.queued == 0
    return Counter(states.values())


@contextmanager
def faulty_server(
    fault: Fault | Chaos | None, way: Way, authority: Authority, *, byte_by_byte: bool = False
) -> Iterator[FaultyServer]:
    with FaultyServer(
        fault,
        pipelining=way.pipelining,
        tls=authority.server() if way.tls else None,
        login=way.tls,
        late_seconds=LATE_SECONDS,
        byte_by_byte=byte_by_byte,
    ) as server:
        yield server


def run(fault: Fault, way: Way, authority: Authority, mailing_list: MailingList, slug: str, figures: Figures) -> None:
    silent = fault.kind in (Kind.STALL, Kind.LATE)
    issue = makers.sending_to(NOW, mailing_list, slug)
    with faulty_server(fault, way, authority) as server:
        timeouts = IMPATIENT if silent else PATIENT
        counts = check(issue, server, send(issue, server, authority, NOW, timeouts))
        assert server.fired, "the fault never happened"
        if fault.kind is not Kind.NEVER or fault.point not in ABOUT_THE_RECIPIENT:
            assert counts[REFUSED] == 0
        if leaves_no_doubt(fault):
            assert counts[UNSURE] == 0
        mend_and_finish(issue, server, authority, figures)


def mend_and_finish(issue: Issue, server: FaultyServer, authority: Authority, figures: Figures) -> None:
    """Whoever was put off, or still waits, gets it from a server that is well again; nobody a second time."""
    server.mend()
    if issue.state is IssueState.PAUSED:
        with transaction():
            control.resume(issue, actor=None, now=NOW + LATER)
    ending = send(issue, server, authority, NOW + LATER, PATIENT)
    counts = check(issue, server, ending)
    settled = counts[ACCEPTED] + counts[REFUSED] + counts[UNSURE]
    doubled = len(server.taken) - len({each.recipient for each in server.taken})
    figures.add(messages=READERS, faults=server.fired, unsure=counts[UNSURE], lost=READERS - settled, doubled=doubled)
    assert (ending, settled, doubled, issue.state) == (Ending.DONE, READERS, 0, IssueState.SENT)


@pytest.mark.parametrize("always", [False, True], ids=["now and then", "each time"])
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("point", Point)
def test_a_server_that(
    app: Flask,
    mailing_list: MailingList,
    authority: Authority,
    point: Point,
    kind: Kind,
    always: bool,
    figures: Figures,
) -> None:
    fault = Fault(point, kind, None if always else NOW_AND_THEN)
    for way in ways(point):
        slug = f"{list(Point).index(point)}-{list(Kind).index(kind)}-{always}-{way.name}".lower().replace(" ", "-")
        run(fault, way, authority, mailing_list, slug, figures)


@pytest.mark.parametrize("way", [PLAIN, PIPELINED, SECURED], ids=lambda way: way.name)
def test_a_server_that_speaks_one_byte_at_a_time(
    app: Flask, mailing_list: MailingList, authority: Authority, way: Way, figures: Figures
) -> None:
    issue = makers.sending_to(NOW, mailing_list, f"bytes-{way.name}".lower().replace(" ", "-"))
    with faulty_server(None, way, authority, byte_by_byte=True) as server:
        assert check(issue, server, send(issue, server, authority, NOW, PATIENT)) == {ACCEPTED: READERS}


@pytest.mark.parametrize("number", range(CHAOS))
def test_chaos(app: Flask, mailing_list: MailingList, authority: Authority, number: int, figures: Figures) -> None:
    """Anything may go wrong at any time, one thing on top of another."""
    dice = random.Random(f"{SEED}-{number}")
    way = dice.choice([PLAIN, PIPELINED, SECURED, SECURED_PLAIN])
    print(f"NEWSLETTER_TEST_SEED={SEED}, number {number}, {way.name}")
    issue = makers.sending_to(NOW, mailing_list, f"chaos-{number}")
    with faulty_server(Chaos(dice, dice.choice([0.02, 0.05, 0.15])), way, authority) as server:
        check(issue, server, send(issue, server, authority, NOW, IMPATIENT))
        mend_and_finish(issue, server, authority, figures)
