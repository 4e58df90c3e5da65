"""What every test may ask for: an application on a database of its own, and people to put in it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as settings_of_hypothesis

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db
from newsletter.mail.memory import MemoryRelay
from newsletter.work.runners import SilentRunner
from tests.faults import tally
from tests.postfix import postfix
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postfix", "postgres_cluster", "postgres_url"]

# A busy machine is no fault of what is tested.
settings_of_hypothesis.register_profile("newsletter", deadline=None)
settings_of_hypothesis.load_profile("newsletter")

KEY = "a-test-key-that-is-long-enough-to-be-used"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of the tests that break things. Here, because this file is read by whichever process prints."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    if lines := tally.summary(report for report in reports if report.when == "call"):
        terminalreporter.section("what the faults did")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def now() -> datetime:
    """The Larkmere partnership's present: Monday 7 December 2026, 10am."""
    return datetime(2026, 12, 7, 10, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'newsletter.db'}",
        public_url="https://news.example.org",
        secret_keys=(KEY,),
    )


@pytest.fixture
def relay() -> MemoryRelay:
    """A mail server that keeps what it is given."""
    return MemoryRelay()


@pytest.fixture
def app(settings: Settings, relay: MemoryRelay) -> Iterator[Flask]:
    """An application with all tables, on SQLite, inside an application context. Nothing runs by itself."""
    app = create_app(settings, runner=SilentRunner(), relay=relay)
    app.testing = True
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser at https://news.example.org, signed in as nobody."""
    return app.test_client()
