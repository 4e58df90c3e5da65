"""A real worker process against a real mail server, to be killed."""

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask_migrate import Migrate, stamp

from newsletter.config import Settings
from newsletter.db import db
from newsletter.mail.memory import MemoryRelay
from newsletter.resources import data_dir
from tests.databases import opened, run_on_both
from tests.delivery.sending.conftest import worker_app
from tests.faults.processes import PATIENCE_SECONDS, Nursery, forker, worker_environment
from tests.faults.tally import PROPERTY, Figures
from tests.smtp_servers import AcceptingServer

__all__ = ["PATIENCE_SECONDS", "worker_environment"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test here, on each database."""
    run_on_both(metafunc)


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
def app(settings: Settings, tables: None) -> Iterator[Flask]:
    """The test's own view of the database that the worker works on."""
    app = worker_app(settings, MemoryRelay())
    Migrate(app, db, directory=str(data_dir("migrations")), render_as_batch=True)
    with opened(app):
        stamp(directory=str(data_dir("migrations")))
        yield app


class WorkerProcess:
    """`newsletter worker`, started in a nursery."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self.pid = nursery.start()

    @property
    def log(self) -> str:
        return self._nursery.log

    def until(self, reached: Callable[[], bool], every: float = 0.002) -> None:
        """Wait for something. Fails, with what the worker said, when the worker ends or it takes for ever."""
        deadline, looked = time.monotonic() + PATIENCE_SECONDS, 0.0
        while not reached():
            now = time.monotonic()
            if now > looked + 0.25:
                looked, status = now, self._nursery.status(self.pid)
                assert status is None, f"The worker ended with {status}:\n{self.log}"
            assert now < deadline, f"The worker did not get there:\n{self.log}"
            time.sleep(every)

    def kill(self) -> None:
        """SIGKILL: not a line of ours runs after it."""
        self._nursery.alive.remove(self.pid)
        self._nursery.kill(self.pid)

    def terminate(self) -> int:
        """SIGTERM, as an init system does. Returns the exit status."""
        self._nursery.alive.remove(self.pid)
        self._nursery.terminate(self.pid)
        return self._nursery.wait_for_end(self.pid)


@pytest.fixture
def start_worker(settings: Settings, server: AcceptingServer) -> Iterator[Callable[..., WorkerProcess]]:
    """Start workers; those still there at the end are killed."""
    with contextlib.ExitStack() as nurseries:

        def start(connections: int = 8) -> WorkerProcess:
            return WorkerProcess(nurseries.enter_context(Nursery(settings, server.url, connections)))

        yield start


@pytest.fixture(scope="session", autouse=True)
def _forker() -> Iterator[None]:
    """The process that forks workers, if any test wanted one, ends with the tests."""
    yield
    if forker.cache_info().currsize:
        forker().close()
