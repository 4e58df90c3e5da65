"""`newsletter subscribers …` as an editor types it."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.app import create_app
from newsletter.cli import main
from newsletter.config import Settings
from newsletter.db import db
from newsletter.models import SubscriberExport
from newsletter.work.runners import SilentRunner
from tests import people
from tests.conftest import KEY
from tests.databases import opened


class Terminal:
    """Runs commands on a database of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        self._monkeypatch, self._captured = monkeypatch, capsysbinary

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        self._monkeypatch.setattr("sys.argv", ["newsletter", "subscribers", *words])
        status = 0
        try:
            main()
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        output, errors = self._captured.readouterr()
        return status, output.decode(), errors.decode()


@pytest.fixture
def terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Terminal]:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("NEWSLETTER_SECRET_KEYS", KEY)
    app = create_app(Settings.from_environment(), runner=SilentRunner())
    with app.app_context():
        from newsletter.schema import prepare_schema

        prepare_schema()
        people.larkmere(datetime(2026, 12, 1, tzinfo=UTC))
        db.session.remove()
        db.engine.dispose()
    yield Terminal(monkeypatch, capsysbinary)


def exports() -> list[SubscriberExport]:
    """The record of exports, oldest first."""
    with opened(create_app(Settings.from_environment(), runner=SilentRunner())):
        return list(db.session.scalars(select(SubscriberExport).order_by(SubscriberExport.id)))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    lines = ("Email;Name;Organisation", "asha@example.org;Zoë Ó Briain;Oakfield", "nobody", "tom@example.org;=1+1;", "")
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    return str(path)


def test_import_then_look_export_and_forget(terminal: Terminal, file: str) -> None:
    arguments = ["import", file, "--list", "safeguarding-news", "--source", "Conference, October 2026"]
    status, output, errors = terminal.run(*arguments, "--dry-run")
    assert (status, output.splitlines()) == (
        0,
        [
            "3 lines read (windows-1252): nothing was written",
            "        2  added",
            "        1  lines that cannot be used",
        ],
    )
    assert errors == "line 3: Enter an email address in the form name@example.org. nobody\n"
    report = json.loads(terminal.run(*arguments, "--json")[1])
    assert (report["added"], report["bad"], report["bad_rows"][0]["line"]) == (2, 1, 3)

    shown = json.loads(terminal.run("show", "ASHA@example.org", "--json")[1])
    assert shown["subscriber"] == {"email": "asha@example.org", "name": "Zoë Ó Briain", "organisation": "Oakfield"}
    assert [one["list"] for one in shown["subscriptions"]] == ["safeguarding-news"]
    assert "Conference, October 2026" in terminal.run("show", "asha@example.org")[1]

    status, output, errors = terminal.run("export", "--list", "safeguarding-news")
    cells = list(csv.DictReader(io.StringIO(output)))
    assert [(one["email"], one["name"]) for one in cells] == [
        ("asha@example.org", "Zoë Ó Briain"),
        ("tom@example.org", "'=1+1"),
    ]

    (unsaid,) = exports()
    assert (unsaid.reason, unsaid.door, unsaid.handed, unsaid.complete) == ("Not said", "command", 2, True)
    reference = {key: value for key, value in cells[0].items() if key.startswith("export ")}
    assert list(reference.values()) == [unsaid.reference]
    assert terminal.run("export", "--reason", "For the yearly audit")[0] == 0
    assert exports()[1].reason == "For the yearly audit"

    status, output, errors = terminal.run("forget", "asha@example.org")
    assert (status, errors) == (0, "")
    assert output.startswith("Forgotten. 1 subscription(s) ended")
    assert json.loads(terminal.run("show", "asha@example.org", "--json")[1])["suppressions"][0]["reason"] == "erased"
    assert json.loads(terminal.run(*arguments, "--json")[1])["suppressed"] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["import", "{file}", "--list", "no-such-list", "--source", "x"], "There is no list 'no-such-list'."),
        (["import", "{file}", "--list", "safeguarding-news", "--source", " "], "Say where these people agreed"),
        (["import", "/no/such.csv", "--list", "safeguarding-news", "--source", "x"], "/no/such.csv cannot be read"),
        (["show", "nobody@example.org"], "Nothing is held about nobody@example.org."),
        (["show", "nobody"], "Enter an email address in the form"),
        (["export", "--list", "x"], "There is no list 'x'."),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_status_1(
    terminal: Terminal, file: str, words: list[str], sentence: str
) -> None:
    status, output, errors = terminal.run(*(word.replace("{file}", file) for word in words))
    assert (status, output) == (1, "")
    assert sentence in errors
    assert len(errors.splitlines()) == 1


def test_a_missing_option_is_wrong_usage(terminal: Terminal, file: str) -> None:
    assert terminal.run("import", file)[0] == 2
