"""An application for the floors below the web, on either database: what a worker has, and no pages."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from newsletter import jobs  # noqa: F401  (they register themselves)
from newsletter.config import Settings
from newsletter.db import db, prepare_engine
from newsletter.mail.memory import MemoryRelay
from newsletter.mail.relay import Relay
from newsletter.tokens import Signer
from newsletter.work import liveness
from newsletter.work.runners import Runner, SilentRunner
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]


class RecordingRunner:
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


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """The settings of every test here, once for each database."""
    if request.param == "sqlite":
        return settings
    return replace(settings, database_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def runner() -> RecordingRunner:
    return RecordingRunner()


@pytest.fixture
def app(settings: Settings, relay: MemoryRelay, runner: RecordingRunner) -> Iterator[Flask]:
    app = worker_app(settings, relay, runner)
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(autouse=True)
def _staying() -> Iterator[None]:
    """Nobody asked this process to leave, before the test or after."""
    yield
    liveness.leaving.clear()
