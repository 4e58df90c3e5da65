"""An issue goes out from four workers while people sign up, and everything is killed once: what must hold, and figures.
In the midst of it the tables are brought to those of a next release.

One machine plays them all: PostgreSQL, two schedulers, four workers, two web servers under gunicorn with two processes
each, a mail server that takes its time, and the people. Whatever ends is started again after half a second.
"""

import contextlib
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask
from sqlalchemy import select, text

from newsletter import clock
from newsletter.app import create_app
from newsletter.bench.issue import schedule_issue
from newsletter.bench.readers import publish_list, subscribe
from newsletter.config import Settings
from newsletter.db import db
from newsletter.delivery.reports import accounts
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Delivery, Issue, Notice, Subscriber, Subscription, Worker
from newsletter.schema import patiently, prepare_schema
from newsletter.states import DeliveryState, IssueState, NoticeState
from newsletter.work.runners import SilentRunner
from tests.faults.processes import Forker, Sink, forker, worker_environment
from tests.faults.slow_sink import LINE
from tests.many.hosts import Host, network
from tests.many.keeper import Keeper, Place
from tests.many.people import Crowd
from tests.postfix import free_port
from tests.postgres import Cluster, running_cluster

WORKERS, WEB_SERVERS, CONNECTIONS = 4, 2, 8
_DATABASE_AWAY_SECONDS = 2.0
_HOST_AWAY_SECONDS = 4.0
#: At the commit of each ring, so that whoever rang believes that it is there.
_FAILING_RINGS = """
CREATE TABLE fate_of_rings (lost boolean);
CREATE FUNCTION unreliable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF random() < 0.3 THEN
    DELETE FROM procrastinate_jobs WHERE id = NEW.id AND status = 'todo';
    INSERT INTO fate_of_rings VALUES (true);
  ELSIF random() < 0.3 THEN
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status)
      VALUES (NEW.queue_name, NEW.task_name, NEW.priority, NEW.args, 'todo');
    INSERT INTO fate_of_rings VALUES (false);
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER unreliable AFTER INSERT ON procrastinate_jobs
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION unreliable()
"""


@dataclass(frozen=True)
class Plan:
    """How large a storm. `slowest` is the mail server's, in seconds, twice for each message. With `hosts` beyond 0 the
    processes are on so many of them; where `rings_fail`, three rings in ten are lost, and two come twice. For
    `blind_seconds` one host reaches the mail server and not the database.
    """

    recipients: int
    sign_ups: int
    slowest: float
    patience: float
    hosts: int = 0
    rings_fail: bool = False
    blind_seconds: float = 0


@dataclass(frozen=True)
class Figures:
    """What was seen. Lateness in seconds: of a confirmation after the answer on the page, and after the last return of
    anything that had ended by then."""

    recipients: int
    accepted: int
    unsure: int
    lost: int
    doubled: int
    seconds: float
    kills: dict[str, int]
    dead_workers: int
    sign_ups: int
    pressed_again: int
    refusals: dict[str, int]
    unanswered: int
    unconfirmed: int
    confirmed_twice: int
    unsure_notices: int
    latest: float
    latest_after_return: float
    takeovers: list[float]
    took_part: list[int]

    def lines(self) -> list[str]:
        kills = ", ".join(f"{name} {number}" for name, number in self.kills.items())
        return [
            f"{self.recipients:,} recipients in {self.seconds:.0f} s: {self.accepted:,} accepted, "
            f"{self.unsure} unsure, {self.lost} lost, {self.doubled} twice",
            f"killed: {kills}",
            f"messages by run of a worker: {', '.join(map(str, self.took_part))}",
            f"{self.sign_ups} sign-ups ({self.pressed_again} pressed again, {self.refusals}; "
            f"{self.unanswered} gave up): {self.unconfirmed} without a confirmation, {self.confirmed_twice} with two "
            f"({self.unsure_notices} notices were in doubt)",
            f"latest confirmation {self.latest:.1f} s after its page, {self.latest_after_return:.1f} s after the last "
            "return of something",
            f"the standby took over after {', '.join(f'{each:.1f}' for each in self.takeovers)} s",
        ]


class Storm:
    """One installation, from its first table to its end."""

    def __init__(self, cluster: Cluster, folder: Path, sink: Sink, plan: Plan, hosts: list[Host]) -> None:
        self.plan, self._hosts = plan, hosts
        self._cluster, self._sink = cluster, sink
        cluster.execute("CREATE DATABASE many")
        self.settings = Settings(
            data_dir=folder,
            database_url=cluster.url("many"),
            public_url="http://localhost:8000",
            secret_keys=(secrets.token_urlsafe(32),),
            runner="procrastinate",
        )
        #: Address and port.
        self._sites = [("127.0.0.1", free_port()) for _ in range(WEB_SERVERS)]
        if hosts:
            self._sites = [(hosts[number % len(hosts)].address, 8000 + number) for number in range(WEB_SERVERS)]
        self.keeper = Keeper(
            [self._place(host.forker, host.data_dir) for host in hosts] or [self._place(forker(), folder)]
        )
        self.kills: Counter[str] = Counter()
        self.returns: list[float] = []
        self.takeovers: list[float] = []
        self._leader_died = 0.0
        self._leader = ""

    def _place(self, whose: Forker, data_dir: Path) -> Place:
        environment = worker_environment(replace(self.settings, data_dir=data_dir), self._sink.url, CONNECTIONS)
        environment |= {"NEWSLETTER_RUNNER": "procrastinate", "NEWSLETTER_TRUSTED_PROXIES": "1"}
        return Place(whose, environment, data_dir / "said.log")

    def run(self) -> Figures:
        """Within an application context of this installation."""
        prepare_schema()
        if self.plan.rings_fail:
            with db.engine.begin() as connection:
                connection.exec_driver_sql(_FAILING_RINGS)
        now = clock.now()
        mailing_list = publish_list(now)
        subscribe(mailing_list, self.plan.recipients, now, lambda more: None)
        issue_id = schedule_issue(mailing_list, clock.now()).id
        db.session.remove()
        began = time.monotonic()
        self._start_all()
        crowd = Crowd([f"http://{address}:{port}" for address, port in self._sites], self.plan.sign_ups, self._share)
        try:
            self._until(lambda: self._sink.size > 0, "nothing is sent")
            crowd.start()
            for share, act in self._acts():
                self._until(lambda share=share: self._share() >= share, f"no {share:.0%} has left")
                act()
            self._until(lambda: self._is_sent(issue_id), "the issue is not sent")
            seconds = time.monotonic() - began
            self._until(lambda: crowd.is_done, "people are still trying to sign up")
            self._until(lambda: not self._waiting(), "confirmations wait")
        finally:
            self.keeper.end()
        if self.plan.rings_fail:
            [(self.kills["ring lost"], self.kills["ring doubled"])] = self._ask(
                "SELECT count(*) FILTER (WHERE lost), count(*) FILTER (WHERE NOT lost) FROM fate_of_rings"
            )
        return self._figures(issue_id, crowd, seconds)

    def _start_all(self) -> None:
        for number in range(WORKERS):
            self.keeper.keep(f"worker {number}", number, "worker")
        for number in range(2):
            self.keeper.keep(f"scheduler {number}", number, "scheduler")
        for number, (address, port) in enumerate(self._sites):
            words = ("web", "--host", address, "--port", str(port), "--processes", "2", "--threads", "4")
            self.keeper.keep(f"web {number}", number, *words)

    def _acts(self) -> Iterator[tuple[float, Callable[[], None]]]:
        """What is killed, by how much of the issue has gone out."""
        yield 0.08, lambda: self._kill("worker 0")
        yield 0.16, lambda: self._kill("web 0")
        yield 0.24, lambda: self._kill_child("web 1")
        yield 0.30, self._kill_leader
        yield 0.42, self._restart_database
        yield 0.50, self._upgrade
        yield 0.55, lambda: self._kill("worker 1", "worker 2")
        if self.plan.blind_seconds:
            yield 0.60, self._blind_a_host
        yield 0.65, lambda: self._kill("web 1")
        yield 0.70, self._cut_off_a_host
        yield 0.75, self._kill_leader
        yield 0.85, lambda: self._kill("worker 3")

    def _kill(self, *names: str) -> None:
        for name in names:
            self.keeper.kill(name)
            self.kills[name.partition(" ")[0]] += 1

    def _kill_child(self, name: str) -> None:
        self.keeper.kill_child(name)
        self.kills["web process"] += 1
        self.returns.append(time.monotonic())

    def _kill_leader(self) -> None:
        holder = self._holder()
        for name, station in self.keeper.stations.items():
            if name.startswith("scheduler") and f" {station.pid} " in holder:
                self._kill(name)
                self._leader, self._leader_died = holder, time.monotonic()

    def _restart_database(self) -> None:
        self._cluster.stop("immediate")
        self._pause(_DATABASE_AWAY_SECONDS)
        self._cluster.start()
        self.kills["database"] += 1
        self.returns.append(time.monotonic())

    def _cut_off_a_host(self) -> None:
        """Whoever is on it lives, and reaches nobody for a while."""
        for host in self._hosts[-1:]:
            host.cut_off()
            self._pause(_HOST_AWAY_SECONDS)
            host.join_again()
            self.kills["host cut off"] += 1
            self.returns.append(time.monotonic())

    def _blind_a_host(self) -> None:
        """Its workers have mail in hand, and can tell nobody what becomes of it."""
        host = self._hosts[-1]
        host.lose_sight_of(self._cluster.address)
        self._pause(self.plan.blind_seconds)
        host.see_again(self._cluster.address)
        self.kills["host blind"] += 1
        self.returns.append(time.monotonic())

    def _upgrade(self) -> None:
        """The next release's `newsletter migrate`: who runs goes on, and who is started later finds its tables."""
        patiently(self._add_to_tables)

    def _add_to_tables(self) -> None:
        with db.engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '2s'"))
            for table in ("delivery", "notice", "issue", "sign_up", "worker"):
                connection.execute(text(f"ALTER TABLE {table} ADD COLUMN colour VARCHAR(20) NOT NULL DEFAULT ''"))
            connection.execute(text("CREATE TABLE paint (id BIGINT PRIMARY KEY)"))
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    def _pause(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.keeper.look()
            time.sleep(0.02)

    def _until(self, reached: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + self.plan.patience
        while not reached():
            self.keeper.look()
            self._see_takeover()
            assert time.monotonic() < deadline, f"{otherwise}:\n{self.keeper.log}"
            time.sleep(0.02)

    def _see_takeover(self) -> None:
        if self._leader_died and self._holder() != self._leader:
            self.takeovers.append(time.monotonic() - self._leader_died)
            self._leader_died = 0.0

    def _share(self) -> float:
        """Of the issue, what has gone out: near enough to choose moments by."""
        return self._sink.size / LINE / self.plan.recipients

    def _ask(self, statement: str) -> list[tuple[object, ...]]:
        db.session.rollback()
        try:
            return [tuple(row) for row in db.session.execute(text(statement))]
        finally:
            db.session.rollback()

    def _holder(self) -> str:
        rows = self._ask("SELECT holder FROM lease WHERE name = 'scheduler'")
        return str(rows[0][0]) if rows else ""

    def _waiting(self) -> bool:
        return bool(self._ask("SELECT 1 FROM notice WHERE state IN ('queued', 'deferred') LIMIT 1"))

    def _is_sent(self, issue_id: int) -> bool:
        issue = db.session.get_one(Issue, issue_id, populate_existing=True)
        assert issue.state is not IssueState.PAUSED, issue.pause_reason
        done = issue.state is IssueState.SENT
        db.session.rollback()
        return done

    def _figures(self, issue_id: int, crowd: Crowd, seconds: float) -> Figures:
        issue = db.session.get_one(Issue, issue_id)
        assert accounts.counts(issue).adds_up
        assert accounts.verify(issue) == []
        arrivals = self._sink.arrivals(0)
        copies = Counter(recipient for _at, recipient in arrivals)
        rows = db.session.execute(
            select(Subscriber.address, Delivery.state, Delivery.owner)
            .join(Subscription, Subscription.id == Delivery.subscription_id)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .where(Delivery.issue_id == issue_id)
        ).all()
        accepted = [address for address, state, _owner in rows if state is DeliveryState.ACCEPTED]
        unsure = {address for address, state, _owner in rows if state is DeliveryState.UNSURE}
        assert len(accepted) + len(unsure) == len(rows) == self.plan.recipients
        firsts: dict[str, float] = {}
        for at, recipient in arrivals:
            firsts.setdefault(recipient, at)
        late, after_return = self._lateness(crowd, firsts)
        runs = db.session.scalars(select(Worker.id).where(Worker.part == "run")).all()
        owners = Counter(owner for _address, _state, owner in rows)
        doubt = set(db.session.scalars(select(Notice.address).where(Notice.unsure_at.is_not(None))))
        # Two of its workers died with it in hand, one after the other: no third copy goes, and staff see it.
        given_up = set(db.session.scalars(select(Notice.address).where(Notice.state == NoticeState.UNSURE)))
        waiting = [person for person in crowd.people if person.answered and person.address not in given_up]
        once = [person for person in crowd.people if person.presses == 1 and person.address not in doubt]
        return Figures(
            recipients=len(rows),
            accepted=len(accepted),
            unsure=len(unsure),
            lost=sum(copies[address] == 0 for address in accepted),
            doubled=sum(copies[address] > 1 for address, _state, _owner in rows),
            seconds=seconds,
            kills=dict(self.kills),
            dead_workers=self.kills["worker"] + WORKERS * self.kills["database"],
            sign_ups=len(crowd.people),
            pressed_again=sum(person.presses > 1 for person in crowd.people),
            refusals=dict(crowd.refusals),
            unanswered=sum(not person.answered for person in crowd.people),
            unconfirmed=sum(not copies[person.address] for person in waiting),
            confirmed_twice=sum(copies[person.address] > 1 for person in once),
            unsure_notices=len(doubt),
            latest=max(late),
            latest_after_return=max(after_return),
            takeovers=self.takeovers,
            took_part=[owners[run] for run in runs if owners[run]],
        )

    def _lateness(self, crowd: Crowd, firsts: dict[str, float]) -> tuple[list[float], list[float]]:
        returns = sorted([*self.returns, *self.keeper.returns()])
        late, after_return = [0.0], [0.0]
        for person in crowd.people:
            if not person.answered or person.address not in firsts:
                continue
            at = firsts[person.address]
            since = max([person.answered, *(moment for moment in returns if moment <= at)])
            late.append(at - person.answered)
            after_return.append(at - since)
        return late, after_return


@contextlib.contextmanager
def installation(folder: Path, plan: Plan, *, durable: bool) -> Iterator[tuple[Storm, Flask]]:
    """A server of PostgreSQL, a mail server, and the installation, within its context."""
    with ExitStack() as opened:
        net = opened.enter_context(network(folder, plan.hosts)) if plan.hosts else None
        address = net.address if net else ""
        cluster = opened.enter_context(running_cluster(durable=durable, connections=250, address=address))
        sink = opened.enter_context(Sink(folder, plan.slowest, net.relay if net else "127.0.0.1"))
        storm = Storm(cluster, folder, sink, plan, net.hosts if net else [])
        app = create_app(storm.settings, runner=SilentRunner(), relay=MemoryRelay(), pages=False)
        # While the database is away our own look fails, too: it is asked again.
        with app.app_context():
            yield storm, app
            db.session.remove()
            db.engine.dispose()


def processes_about(folder: Path) -> list[int]:
    """The processes whose data directory it is, or is within it: none may be left behind."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                marks = (entry / "environ").read_bytes().split(b"\0")
                if any(mark.startswith(f"NEWSLETTER_DATA_DIR={folder}".encode()) for mark in marks):
                    found.append(int(entry.name))
    return found
