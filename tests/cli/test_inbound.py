"""`newsletter inbound read` at the end of a mail server's pipe: news counts from the outermost Received."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter import clock
from newsletter.app import create_app
from newsletter.cli import main
from newsletter.db import db
from newsletter.models import Contribution
from newsletter.schema import prepare_schema
from tests import people

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with December, whose call is open, and a domain for news."""
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NEWSLETTER_BOUNCE_DOMAIN", "bounces.example.org")
    app = create_app()
    with app.app_context():
        prepare_schema()
        now = clock.now()
        people.issue(now, people.larkmere(now))
        db.session.remove()
        db.engine.dispose()
    return tmp_path


def letter(to: str, received: str) -> bytes:
    return (
        f"Received: from council.example.org by mx.example.org; {received}\r\nFrom: Cara <cara@council.example.org>\r\n"
        f"To: {to}\r\nSubject: Neglect\r\nMessage-ID: <1@council.example.org>\r\n\r\nTwo half days in February.\r\n"
    ).encode()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`newsletter inbound read <file> --json`: exit status, standard output, standard error."""

    def ran(file: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["newsletter", "inbound", "read", file, "--json"])
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = 0
        try:
            main()
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return ran


def test_a_letter_through_the_pipe_is_news_from_when_our_server_had_it(folder: Path, run: Run) -> None:
    received = clock.now().replace(microsecond=0) - timedelta(minutes=7)
    raw = letter("contribute+safeguarding-news@bounces.example.org", format_datetime(received))

    status, said, _error = run("-", raw)
    assert (status, json.loads(said)["kind"]) == (0, "contribution")
    assert json.loads(run("-", raw)[1])["known"] is True

    with create_app().app_context():
        found = db.session.scalars(select(Contribution)).one()
        assert (found.title, found.opened_at) == ("Neglect", received)
        db.session.remove()
        db.engine.dispose()


def test_a_letter_to_the_editors_is_no_news(folder: Path, run: Run) -> None:
    status, said, _error = run("-", letter("newsletter@example.org", format_datetime(clock.now())))
    assert (status, json.loads(said)["kind"]) == (0, "unknown")


def test_a_file_that_is_not_there_is_said(folder: Path, run: Run) -> None:
    status, _said, error = run(str(folder / "none.eml"))
    assert status == 1
    assert "cannot be read" in error
