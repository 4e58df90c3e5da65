"""Where a test keeps what it works on: SQLite, or with the mark `both_databases` SQLite once and PostgreSQL once."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db
from newsletter.mail.memory import MemoryRelay
from newsletter.work.runners import SilentRunner
from tests.postgres import Cluster

KEY = "a-test-key-that-is-long-enough-to-be-used"
_POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
_BOTH = ("sqlite", _POSTGRES)
#: A test that is about PostgreSQL alone.
on_postgres = pytest.mark.parametrize("database", [_POSTGRES], indirect=True)


def run_on_both(metafunc: pytest.Metafunc) -> None:
    """Once on each database, but for a test that chooses: for `pytest_generate_tests`."""
    chooses = any(mark.args[0] == "database" for mark in metafunc.definition.iter_markers("parametrize"))
    if "database" in metafunc.fixturenames and not chooses:
        metafunc.parametrize("database", _BOTH, indirect=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("both_databases"):
        run_on_both(metafunc)


@contextmanager
def opened(app: Flask) -> Iterator[Flask]:
    """Inside the application's context; its connections are closed at the end."""
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Which database this test works on."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def settings(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> Settings:
    """Those of an installation at https://news.example.org. For its tables see `tables`."""
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    if database == "postgres":
        url = request.getfixturevalue("postgres_with_tables")
    return Settings(data_dir=tmp_path, database_url=url, public_url="https://news.example.org", secret_keys=(KEY,))


@pytest.fixture
def tables(settings: Settings, request: pytest.FixtureRequest) -> None:
    """All tables, with nothing in them. Copied: making them takes longer than most tests."""
    if settings.sqlite:
        copied = request.getfixturevalue("sqlite_with_tables")
        shutil.copyfile(copied, settings.database_url.removeprefix("sqlite:///"))


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to be copied."""
    path = tmp_path_factory.mktemp("tables") / "newsletter.db"
    _make_tables(f"sqlite:///{path}", path.parent)
    return path


@pytest.fixture(scope="session")
def _template(postgres_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres_cluster.database() as name:
        _make_tables(postgres_cluster.url(name), tmp_path_factory.mktemp("template"))
        yield name


@pytest.fixture
def postgres_with_tables(postgres_cluster: Cluster, _template: str) -> Iterator[str]:
    """The URL of a database of this test's own."""
    with postgres_cluster.database(like=_template) as name:
        yield postgres_cluster.url(name)


def _make_tables(url: str, folder: Path) -> None:
    made = Settings(data_dir=folder, database_url=url, secret_keys=(KEY,))
    with opened(create_app(made, runner=SilentRunner(), relay=MemoryRelay(), pages=False)):
        db.create_all()
