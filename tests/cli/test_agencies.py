"""`newsletter agencies …` as somebody with a spreadsheet types it."""

import json
from pathlib import Path

import pytest

from newsletter import clock
from newsletter.app import create_app
from newsletter.cli import main
from newsletter.db import db
from newsletter.schema import prepare_schema
from tests import people


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation in the environment; its folder."""
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
    for name in ("DATABASE_URL", "RELAY_URL", "PUBLIC_URL"):
        monkeypatch.delenv(f"NEWSLETTER_{name}", raising=False)
    with create_app().app_context():
        prepare_schema()
        people.larkmere(clock.now())
        db.session.remove()
        db.engine.dispose()
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["newsletter", "agencies", *words])
    try:
        main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def test_a_list_is_looked_through_mended_and_brought_in(
    installation: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = installation / "partners.csv"
    file.write_text("agency,name,email\nLarkmere Police,Sam,sam@\n")
    wrong = run(monkeypatch, "import", str(file)), capsys.readouterr().err
    file.write_text("agency,name,email,lead\nLarkmere Police,Sam Okafor,sam@example.org,yes\n")
    looked = run(monkeypatch, "import", str(file), "--dry-run"), capsys.readouterr().out
    run(monkeypatch, "list", "--json")
    nothing = json.loads(capsys.readouterr().out)
    done = run(monkeypatch, "import", str(file)), capsys.readouterr().out
    run(monkeypatch, "list", "--json")

    assert wrong[0] == 1
    assert "Line 2: Enter an email address in the form name@example.org" in wrong[1]
    assert looked == (0, "New agencies: 1. New people: 1. There already: 0. (Nothing was changed.)\n")
    assert nothing == []
    assert done == (0, "New agencies: 1. New people: 1. There already: 0.\n")
    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "Larkmere Police",
            "ended": False,
            "people": [{"name": "Sam Okafor", "email": "sam@example.org", "lead": True}],
        }
    ]
