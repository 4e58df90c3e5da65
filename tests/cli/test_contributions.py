"""`newsletter contributions …` as an editor types it."""

import json
from pathlib import Path

import pytest

from newsletter import clock
from newsletter.app import create_app
from newsletter.cli import main
from newsletter.db import db, transaction
from newsletter.domain.calls.handing_in import contributing
from newsletter.domain.calls.texts.news import News
from newsletter.schema import prepare_schema
from tests import people


@pytest.fixture
def december(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installation in the environment, whose December issue asks for news; its slug."""
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
    for name in ("DATABASE_URL", "RELAY_URL", "PUBLIC_URL"):
        monkeypatch.delenv(f"NEWSLETTER_{name}", raising=False)
    app = create_app()
    with app.app_context():
        prepare_schema()
        now = clock.now()
        issue = people.issue(now, people.larkmere(now))
        slug = issue.slug
        db.session.remove()
        db.engine.dispose()
    return slug


def send(slug: str) -> str:
    """Somebody sends in a piece of news; its reference."""
    with create_app().app_context():
        from newsletter.domain.issues.finding import find_issue

        now = clock.now()
        news = News("One number", "Ring us.", "Larkmere Police", "Sam Okafor", "sam@police.example.org")
        with transaction():
            made = contributing.save_contribution(find_issue(slug), news, opened_at=now, now=now)
        reference = made.contribution.reference
        db.session.remove()
        db.engine.dispose()
    return reference


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["newsletter", "contributions", *words])
    try:
        main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def test_an_editor_lists_what_came_in(
    december: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "list", december) == 0
    assert capsys.readouterr().out == "Nothing has come in for December 2026.\n"
    reference = send(december)

    assert run(monkeypatch, "list", december) == 0
    assert f"{reference}  submitted " in capsys.readouterr().out
    assert run(monkeypatch, "list", december, "--json") == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["reference"] == reference
    assert entry["text"] == "Ring us."
    assert entry["contact"]["email"] == "sam@police.example.org"


def test_an_issue_that_does_not_exist_is_one_sentence(
    december: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "list", "nothing") == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("\n") == 1
    assert "nothing" in written.err


def test_an_editor_reads_and_accepts_one(
    december: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = send(december)
    assert run(monkeypatch, "show", reference.lower()) == 0
    shown = capsys.readouterr().out
    assert f"One number ({reference}), for December 2026 of Safeguarding news: submitted" in shown
    assert "From: Sam Okafor, Larkmere Police" in shown
    assert shown.endswith("Ring us.\n")

    assert run(monkeypatch, "accept", reference) == 0
    assert capsys.readouterr().out == "One number is in December 2026.\n"
    assert run(monkeypatch, "show", reference) == 0
    assert "A mail leaves: " in capsys.readouterr().out
    assert run(monkeypatch, "decline", reference, "--reason", "We had it.") == 1
    assert capsys.readouterr().err == "It is in an issue already. Somebody was quicker.\n"


def test_declining_and_keeping_say_what_they_need(
    december: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = send(december)
    assert run(monkeypatch, "decline", reference) == 1
    assert "Say why. The sender reads these words." in capsys.readouterr().err
    assert run(monkeypatch, "carry", reference) == 1
    assert capsys.readouterr().err == "December 2026 has no next issue yet. Name one with --to.\n"
    assert run(monkeypatch, "decline", reference, "--quiet", "--as", "nobody@example.org") == 1
    assert "nobody@example.org" in capsys.readouterr().err
    assert run(monkeypatch, "decline", reference, "--quiet") == 0
    assert run(monkeypatch, "show", "AAAA-AAAA") == 1
    assert "There is no contribution AAAA-AAAA." in capsys.readouterr().err
