"""Rings through PostgreSQL: rows that come and go with the change they tell of, and the worker that takes them."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import procrastinate
import pytest
from flask import Flask
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import func, select, text

from newsletter import clock
from newsletter import jobs as all_jobs
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, on_commit, transaction
from newsletter.errors import SettingError
from newsletter.mail.memory import MemoryRelay
from newsletter.models import LimitCounter
from newsletter.work import queue, registry, ring_tables, ring_taker
from newsletter.work.deferring import ProcrastinateRunner
from newsletter.work.runners import SilentRunner

pytestmark = pytest.mark.postgres


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> dict[str, registry.Job]:
    """A registry of its own; the lanes are those of our jobs, which are known once those are loaded."""
    assert registry.lane_of(all_jobs.deliver_notices.__name__) is registry.Lane.NOTICES
    own: dict[str, registry.Job] = {}
    for module in ("registry", "runners", "deferring", "ring_taker"):
        monkeypatch.setattr(f"newsletter.work.{module}.JOBS", own)
    return own


@pytest.fixture
def app(settings: Settings, postgres_url: str) -> Iterator[Flask]:
    """An installation on PostgreSQL that rings through it; nobody takes the rings."""
    settings = replace(settings, database_url=postgres_url, runner="procrastinate")
    app = create_app(settings, relay=MemoryRelay(), pages=False)
    assert isinstance(app.extensions["newsletter_runner"], ProcrastinateRunner)
    with app.app_context():
        db.create_all()
        ring_tables.bring_up(clock.now())
        yield app
        db.session.remove()
        db.engine.dispose()


def rings(status: str = "todo") -> list[str]:
    """The jobs that are rung for, with their ids, as another process sees them."""
    statement = text("SELECT queueing_lock FROM procrastinate_jobs WHERE status = :status ORDER BY id")
    with db.engine.connect() as connection:
        return list(connection.scalars(statement, {"status": status}))


def change(name: str) -> None:
    """Some change of a row, within a transaction."""
    db.session.add(LimitCounter(key=name, ends_at=clock.now(), count=1))
    db.session.flush()


def changes() -> int:
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(LimitCounter)) or 0


@contextmanager
def somebody_takes(job: str) -> Iterator[None]:
    """Within the block a worker that is dead by now has taken the ring."""
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = :job"), {"job": job})
    yield


def test_a_ring_comes_with_its_change_once_and_goes_with_it(app: Flask) -> None:
    with transaction():
        change("a")
        queue.ring("send_issue", 7)
        queue.ring("send_issue", 7)
        queue.ring("deliver_notices")
        assert rings() == []
    assert rings() == ["deliver_notices", "send_issue 7"]
    with pytest.raises(RuntimeError), transaction():
        change("b")
        queue.ring("check_links")
        raise RuntimeError("no")
    assert (rings(), changes()) == (["deliver_notices", "send_issue 7"], 1)


def test_a_ring_that_waits_already_takes_nothing_of_the_change_with_it(app: Flask) -> None:
    app.extensions["newsletter_runner"].ring("deliver_notices", ())
    with transaction():
        change("a")
        queue.ring("deliver_notices")
    assert (rings(), changes()) == (["deliver_notices"], 1)


def test_a_ring_that_is_taken_before_our_change_can_be_seen_is_rung_again(app: Flask) -> None:
    """Whoever takes it looks at the rows at once, and does not find ours."""
    app.extensions["newsletter_runner"].ring("deliver_notices", ())

    def take() -> None:
        with somebody_takes("deliver_notices"):
            assert rings() == []

    with transaction():
        change("a")
        queue.ring("deliver_notices")
        on_commit(take)
    assert (rings(), rings("doing")) == (["deliver_notices"], ["deliver_notices"])


def test_where_rings_cannot_be_written_the_change_is_made_all_the_same(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE procrastinate_jobs CASCADE"))
    with transaction():
        change("a")
        queue.ring("deliver_notices")
    app.extensions["newsletter_runner"].ring("deliver_notices", ())
    assert changes() == 1
    assert "a tick will ring again" in caplog.text


def test_many_who_ring_at_once_all_get_through(app: Flask) -> None:
    def ring() -> None:
        with app.app_context(), transaction():
            change(threading.current_thread().name)
            queue.ring("deliver_notices")
            queue.ring("check_links")

    people = [threading.Thread(target=ring) for _ in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join(30)
    assert changes() == len(people)
    assert sorted(rings()) == ["check_links", "deliver_notices"]


def procrastinate_app(app: Flask) -> procrastinate.App:
    words = {**db.engine.url.translate_connect_args(username="user", database="dbname"), **db.engine.url.query}
    return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=make_conninfo("", **words)))


def rescue(app: Flask) -> int:
    async def run() -> int:
        ours = procrastinate_app(app)
        async with ours.open_async():
            return await ring_taker.rescue(ours)

    return asyncio.run(run())


def test_what_a_dead_worker_took_is_rung_again(app: Flask) -> None:
    for job in ("deliver_notices", "check_links"):
        app.extensions["newsletter_runner"].ring(job, ())
        with somebody_takes(job):
            pass
    # Rung for meanwhile: a retry of the one that was taken would be barred by it.
    app.extensions["newsletter_runner"].ring("check_links", ())
    assert rescue(app) == 2
    assert (sorted(rings()), rings("doing")) == (["check_links", "deliver_notices"], [])
    assert rescue(app) == 0


class Jobs:
    """Jobs that tell when they run, and one that lasts until it may end."""

    def __init__(self, jobs: dict[str, registry.Job]) -> None:
        self.ran: list[tuple[str, int]] = []
        self.go_on = threading.Event()
        self._changed = threading.Condition()
        jobs["deliver_notices"] = lambda: self.run("deliver_notices", 0)
        jobs["check_links"] = lambda number: (self.run("check_links", number), self.go_on.wait(30))
        jobs["fail"] = self.fail

    def run(self, job: str, number: int) -> None:
        with self._changed:
            self.ran.append((job, number))
            self._changed.notify_all()

    def fail(self) -> None:
        self.run("fail", 0)
        raise ValueError("no")

    def wait_for(self, *calls: tuple[str, int]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: set(calls) <= set(self.ran), 30), self.ran


def test_a_worker_takes_rings_and_a_lane_that_is_full_holds_up_no_other(
    app: Flask, jobs: dict[str, registry.Job], caplog: pytest.LogCaptureFixture
) -> None:
    told = Jobs(jobs)
    taker = ring_taker.RingTaker(app, db.engine.url, SilentRunner())
    runner = app.extensions["newsletter_runner"]
    taker.start()
    try:
        for number in range(4):
            runner.ring("check_links", (number,))
        told.wait_for(("check_links", 0), ("check_links", 1))
        runner.ring("deliver_notices", ())
        told.wait_for(("deliver_notices", 0))
        assert len(told.ran) == 3
        told.go_on.set()
        runner.ring("fail", ())
        told.wait_for(("check_links", 3), ("fail", 0))
    finally:
        told.go_on.set()
        assert taker.stop(30)
    assert "The job fail failed" in caplog.text
    # What is finished is not kept, and what failed is not either: the rows say what is to be done.
    assert (rings(), rings("doing"), rings("succeeded"), rings("failed")) == ([], [], [], [])


def test_its_tables_are_made_once_and_their_version_is_recorded(app: Flask) -> None:
    assert ring_tables.recorded() == ring_tables.wanted()
    assert ring_tables.bring_up(clock.now()) == []


def test_tables_of_a_version_that_nobody_recorded_are_left_alone(app: Flask) -> None:
    with transaction() as session:
        session.execute(text("DELETE FROM schema_part"))
    with pytest.raises(SettingError, match="not which version"):
        ring_tables.bring_up(clock.now())


def test_a_step_that_old_workers_would_not_survive_waits_for_their_end(
    app: Flask, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {"99.01.00_01_pre_more": "CREATE TABLE more ()", "99.01.00_50_post_less": "DROP TABLE more"}
    for name, sql in steps.items():
        (tmp_path / f"{name}.sql").write_text(sql)
    monkeypatch.setattr(ring_tables.SchemaManager, "get_migrations_path", lambda: str(tmp_path))
    with db.engine.begin() as connection:
        connection.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    assert ring_tables.bring_up(clock.now()) == ["99.01.00_50_post_less"]
    assert ring_tables.recorded() == "99.01.00_01_pre_more"
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"))
    assert ring_tables.bring_up(clock.now()) == []
    assert ring_tables.recorded() == "99.01.00_50_post_less"


def test_nobody_waits_for_ever_for_a_database_that_says_nothing(app: Flask, settings: Settings) -> None:
    """A machine that lost its power closes no connection."""
    with db.engine.connect() as connection:
        ours = connection.connection.driver_connection.info.get_parameters()
    taker = ring_taker.RingTaker(app, db.engine.url, SilentRunner())
    for known in (ours, conninfo_to_dict(taker._conninfo)):
        assert known["tcp_user_timeout"] == "30000"
        assert known["connect_timeout"] == "10"
        assert known["keepalives_idle"] == "15"
    chosen = create_app(
        replace(settings, database_url=f"{settings_url(app)}&tcp_user_timeout=5000"), relay=MemoryRelay(), pages=False,
        runner=SilentRunner(),
    )  # fmt: skip
    with chosen.app_context():
        with db.engine.connect() as connection:
            assert connection.connection.driver_connection.info.get_parameters()["tcp_user_timeout"] == "5000"
        db.engine.dispose()


def settings_url(app: Flask) -> str:
    url: str = app.config["NEWSLETTER"].database_url
    return url


def test_rings_through_sqlite_are_refused_in_a_sentence(settings: Settings) -> None:
    environment = {"NEWSLETTER_DATA_DIR": str(settings.data_dir), "NEWSLETTER_RUNNER": "procrastinate"}
    with pytest.raises(SettingError, match="needs PostgreSQL"):
        Settings.from_environment(environment)
