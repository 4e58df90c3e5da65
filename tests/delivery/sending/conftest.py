"""An application for the floors below the web, on either database: what a worker has, and no pages."""

from collections.abc import Iterator

import pytest
from flask import Flask

from newsletter import jobs  # noqa: F401  (they register themselves)
from newsletter.config import Settings
from newsletter.db import db, prepare_engine
from newsletter.mail.memory import MemoryRelay
from newsletter.mail.relay import Relay
from newsletter.tokens import Signer
from newsletter.work import liveness
from newsletter.work.runners import AfterTheCommit, Runner, SilentRunner
from tests.databases import opened, run_on_both


class RecordingRunner(AfterTheCommit):
    """Remembers what was rung for."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, tuple[int, ...]]] = []

    def ring(self, job_name: str, ids: tuple[int, ...]) -> None:
        self.rung.append((job_name, ids))


def worker_app(settings: Settings, relay: Relay, runner: Runner | None = None) -> Flask:
    """The application as the sending sees it: database, keys, relay, runner."""
    app = Flask("newsletter")
    app.config.update(NEWSLETTER=settings, SQLALCHEMY_DATABASE_URI=settings.database_url)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    app.extensions["newsletter_signer"] = Signer(settings.secret_keys)
    app.extensions["newsletter_runner"] = runner or SilentRunner()
    app.extensions["newsletter_relay"] = relay
    return app


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test here, on each database."""
    run_on_both(metafunc)


@pytest.fixture
def runner() -> RecordingRunner:
    return RecordingRunner()


@pytest.fixture
def app(settings: Settings, relay: MemoryRelay, runner: RecordingRunner, tables: None) -> Iterator[Flask]:
    app = worker_app(settings, relay, runner)
    with opened(app):
        yield app


@pytest.fixture(autouse=True)
def _staying() -> Iterator[None]:
    """Nobody asked this process to leave, before the test or after."""
    yield
    liveness.leaving.clear()
