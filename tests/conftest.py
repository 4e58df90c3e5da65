"""What every test may ask for: an application on a database of its own, and people to put in it."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as settings_of_hypothesis
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

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

_compile_builder = Rule._compile_builder
_builders: dict[object, Callable[..., tuple[str, str]]] = {}


def _builder_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """What builds a rule's addresses, compiled once a process: some thousand applications have the same rules, and
    compiling these was two thirds of the time it took to make one."""
    about = (rule.rule, tuple(rule._trace), tuple(sorted((rule.defaults or {}).items())), append_unknown)
    if about not in _builders:
        _builders[about] = _compile_builder(rule, append_unknown)
    return _builders[about]


class _CompiledTemplates(BytecodeCache):
    """Templates, compiled once a process and not once an application."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


Rule._compile_builder = _builder_once
Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _CompiledTemplates()}


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


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and nothing in them, to be copied: making one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("tables")
    path = folder / "newsletter.db"
    app = create_app(
        Settings(data_dir=folder, database_url=f"sqlite:///{path}", secret_keys=(KEY,)),
        runner=SilentRunner(),
        relay=MemoryRelay(),
    )
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    return path


@pytest.fixture
def app(settings: Settings, relay: MemoryRelay, empty_database: Path) -> Iterator[Flask]:
    """An application with all tables, on SQLite, inside an application context. Nothing runs by itself."""
    if settings.sqlite:
        shutil.copyfile(empty_database, settings.database_url.removeprefix("sqlite:///"))
    app = create_app(settings, runner=SilentRunner(), relay=relay)
    app.testing = True
    with app.app_context():
        if not settings.sqlite:
            db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser at https://news.example.org, signed in as nobody."""
    return app.test_client()
