"""A real worker process against a real mail server, to be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import Migrate, stamp

from newsletter.config import Settings
from newsletter.db import db
from newsletter.mail.memory import MemoryRelay
from newsletter.resources import data_dir
from tests.delivery.sending.conftest import worker_app
from tests.faults.tally import PROPERTY, Figures
from tests.postgres import postgres_cluster, postgres_url
from tests.smtp_servers import AcceptingServer

__all__ = ["postgres_cluster", "postgres_url"]

#: Long enough for any of these on a busy machine; reaching it is a failure.
PATIENCE_SECONDS = 60.0


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """The settings of every test here, once for each database."""
    if request.param == "sqlite":
        return settings
    return replace(settings, database_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """What the test did and saw, to be printed when all is over."""
    figures = Figures()
    request.node.user_properties.append((PROPERTY, figures.numbers))
    return figures


@pytest.fixture
def server() -> Iterator[AcceptingServer]:
    with AcceptingServer(pipelining=True) as server:
        yield server


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The test's own view of the database that the worker works on."""
    app = worker_app(settings, MemoryRelay())
    Migrate(app, db, directory=str(data_dir("migrations")), render_as_batch=True)
    with app.app_context():
        db.create_all()
        stamp(directory=str(data_dir("migrations")))
        yield app
        db.session.remove()
        db.engine.dispose()


def worker_environment(settings: Settings, relay_url: str, connections: int) -> dict[str, str]:
    """What a worker process is told: the settings of the test, and nothing of ours from outside."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")},
        "NEWSLETTER_DATA_DIR": str(settings.data_dir),
        "NEWSLETTER_DATABASE_URL": settings.database_url,
        "NEWSLETTER_RELAY_URL": relay_url,
        "NEWSLETTER_RELAY_CONNECTIONS": str(connections),
        "NEWSLETTER_PUBLIC_URL": settings.public_url,
        "NEWSLETTER_SECRET_KEYS": settings.secret_keys[0],
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }


class WorkerProcess:
    """`newsletter worker` as an operator starts it. What it says goes to a file beside the database."""

    def __init__(self, settings: Settings, relay_url: str, connections: int) -> None:
        self._log_path = settings.data_dir / "worker.log"
        environment = worker_environment(settings, relay_url, connections)
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "newsletter.cli", "worker"], env=environment, stdout=log, stderr=log
            )

    @property
    def log(self) -> str:
        return self._log_path.read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    def until(self, reached: Callable[[], bool], every: float = 0.002) -> None:
        """Wait for something. Fails, with what the worker said, when the worker ends or it takes for ever."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            if self._process.poll() is not None:
                pytest.fail(f"The worker ended with {self._process.returncode}:\n{self.log}")
            if time.monotonic() > deadline:
                self.kill()
                pytest.fail(f"The worker did not get there:\n{self.log}")
            time.sleep(every)

    def kill(self) -> None:
        """SIGKILL: not a line of ours runs after it."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> int:
        """SIGTERM, as an init system does. Returns the exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_SECONDS)

    @property
    def running(self) -> bool:
        return self._process.poll() is None


@pytest.fixture
def start_worker(settings: Settings, server: AcceptingServer) -> Iterator[Callable[..., WorkerProcess]]:
    """Start workers; those still there at the end are killed."""
    started: list[WorkerProcess] = []

    def start(connections: int = 8, relay_url: str = "") -> WorkerProcess:
        started.append(WorkerProcess(settings, relay_url or server.url, connections))
        return started[-1]

    yield start
    for worker in started:
        if worker.running:
            worker.kill()
