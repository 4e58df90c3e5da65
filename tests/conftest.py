"""What every test may ask for: an application on a database of its own, and people to put in it."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as settings_of_hypothesis
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.mail.memory import MemoryRelay
from newsletter.work.runners import SilentRunner
from tests.databases import (
    KEY,
    _template,
    database,
    opened,
    postgres_with_tables,
    pytest_generate_tests,
    settings,
    sqlite_with_tables,
    tables,
)
from tests.faults import tally
from tests.postfix import postfix
from tests.postgres import postgres_cluster, postgres_url

__all__ = [
    "KEY", "_template", "database", "postfix", "postgres_cluster", "postgres_url", "postgres_with_tables",
    "pytest_generate_tests", "settings", "sqlite_with_tables", "tables",
]  # fmt: skip

# A busy machine is no fault of what is tested.
settings_of_hypothesis.register_profile("newsletter", deadline=None)
settings_of_hypothesis.load_profile("newsletter")

_compile = Rule.compile
_compiled: dict[object, Rule] = {}


def pytest_collection_finish() -> None:
    """Let the garbage collector look past what the tests have in common, and more seldom: a sixth of their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _compile_once(rule: Rule) -> None:
    """Reads and compiles an address rule once a process: some thousand applications have the same rules, and this was
    nine tenths of the time it took to make one."""
    assert rule.map is not None
    defaults = tuple(sorted((rule.defaults or {}).items()))
    about = (rule.rule, rule.subdomain, rule.merge_slashes, defaults, frozenset(rule.map.converters.items()))
    twin = _compiled.get(about)
    if twin is None:
        _compile(rule)
        _compiled[about] = rule
        return
    rule._parts, rule._trace, rule._converters = twin._parts, twin._trace, twin._converters
    rule.arguments = set(twin.arguments)
    for name in ("_build", "_build_unknown"):
        setattr(rule, name, getattr(twin, name).__func__.__get__(rule))


class _CompiledTemplates(BytecodeCache):
    """Templates, compiled once a process and not once an application."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


Rule.compile = _compile_once
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
def relay() -> MemoryRelay:
    """A mail server that keeps what it is given."""
    return MemoryRelay()


@pytest.fixture
def app(settings: Settings, relay: MemoryRelay, tables: None) -> Iterator[Flask]:
    """An application with all tables, inside an application context. Nothing runs by itself."""
    app = create_app(settings, runner=SilentRunner(), relay=relay)
    app.testing = True
    with opened(app):
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser at https://news.example.org, signed in as nobody."""
    return app.test_client()
