"""`newsletter installation …`, `staff …` and `lists …`, as somebody types them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from newsletter.cli import context
from newsletter.cli.installation import installation
from newsletter.cli.lists import lists
from newsletter.cli.staff import staff
from newsletter.db import db, transaction
from newsletter.domain.staff import accounts, activity, mailing_lists
from newsletter.errors import NewsletterError
from newsletter.states import Cadence, Role
from tests import people

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command on the test's own application."""
    monkeypatch.setattr(context, "make_app", lambda: app)

    def run(*words: str) -> Result:
        group = {"staff": staff, "lists": lists, "installation": installation}[words[0]]
        return CliRunner().invoke(group, list(words[1:]))

    return run


def test_an_invitation_prints_its_link_and_nothing_else(app: Flask, run: Run, now: datetime) -> None:
    people.larkmere(now)
    result = run("staff", "invite", "ewan@example.org", "--role", "admin")
    link = result.output.strip()

    assert result.exit_code == 0
    assert link.startswith("https://news.example.org/join/")
    assert app.test_client().get(link.removeprefix("https://news.example.org")).status_code == 200


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("staff", "invite", "no-address", "--role", "admin"), "name@example.org"),
        (("staff", "invite", "a@example.org\r\nBcc: b@example.org", "--role", "admin"), "line breaks"),
        (("staff", "invite", "a@example.org", "--role", "admin", "--list", "none"), "no list 'none'"),
        (("staff", "disable", "nobody@example.org"), "Nobody here has the address"),
        (("staff", "disable", "ruth@example.org"), "Somebody has to administer everything"),
        (("lists", "create", "Two Words", "--name", "X"), "small letters"),
        (("lists", "create", "2026", "--name", "X"), "small letters"),
        (("lists", "create", "safeguarding-news", "--name", "X"), "already"),
        (("lists", "create", "x", "--name", "a\nb"), "control characters"),
        (("lists", "show", "none"), "no list 'none'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, now: datetime, words: tuple[str, ...], sentence: str) -> None:
    people.larkmere(now)
    people.staff(now, role=Role.ADMIN)
    result = run(*words)

    assert isinstance(result.exception, NewsletterError)
    assert sentence in str(result.exception)


def test_everybody_with_their_roles(run: Run, now: datetime) -> None:
    quarterly = people.larkmere(now)
    people.staff(now, role=Role.ADMIN)
    people.staff(now, "Ewan Brodie", Role.EDITOR, on=quarterly)
    shown = json.loads(run("staff", "list", "--json").output)

    assert [(one["email"], one["roles"], one["active"]) for one in shown] == [
        ("ewan@example.org", [{"list": "safeguarding-news", "role": "editor"}], True),
        ("ruth@example.org", [{"list": None, "role": "admin"}], True),
    ]
    assert "ewan@example.org  Ewan Brodie  editor on safeguarding-news" in run("staff", "list").output


def test_off_and_on_again(run: Run, now: datetime) -> None:
    people.larkmere(now)
    people.staff(now, role=Role.ADMIN)
    ewan = people.staff(now, "Ewan Brodie", Role.ADMIN)

    seen = []
    for words in ("disable", "Ewan@example.org"), ("enable", "ewan@example.org"):
        assert run("staff", *words).exit_code == 0
        db.session.rollback()
        seen.append(ewan.active)
    assert seen == [False, True]


def test_somebody_who_cannot_get_in(app: Flask, run: Run, now: datetime) -> None:
    people.larkmere(now)
    ruth = people.staff(now, role=Role.ADMIN)
    link = run("staff", "let-in", "ruth@example.org", "--new-phone").output.strip()

    assert app.test_client().get(link.removeprefix("https://news.example.org")).status_code == 200
    db.session.rollback()
    assert ruth.tf_primary_method is None


def test_a_list_from_nothing_but_its_name(run: Run, now: datetime) -> None:
    people.larkmere(now)
    result = run("lists", "create", "policy-changes", "--name", "Policy changes", "--json")
    made = mailing_lists.find_list("policy-changes")

    assert json.loads(result.output)["slug"] == "policy-changes"
    assert (made.cadence, made.sender_address) == (Cadence.NONE, "newsletter@example.org")
    assert json.loads(run("lists", "show", "policy-changes", "--json").output)["cadence"] == "none"
    assert [one["slug"] for one in json.loads(run("lists", "show", "--json").output)] == [
        "safeguarding-news",
        "policy-changes",
    ]


def test_a_list_before_anybody_has_set_up(run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("lists", "create", "x-news", "--name", "X", "--sender", "x@example.org").exit_code == 0
    assert run("lists", "create", "y-news", "--name", "Y").exit_code == 0
    assert mailing_lists.find_list("y-news").sender_address == "newsletter@news.example.org"
    monkeypatch.setitem(app.config, "NEWSLETTER", replace(app.config["NEWSLETTER"], public_url="http://localhost:8000"))
    assert "--sender" in str(run("lists", "create", "z-news", "--name", "Z").exception)
    assert accounts.everybody() == []


@pytest.mark.parametrize("words", [("staff",), ("lists",), ("staff", "invite"), ("lists", "create")])
def test_every_command_explains_itself(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words, "--help").exit_code == 0


def test_who_publishes_is_set_by_command_and_changed_in_part(app: Flask, run: Run, tmp_path: Path) -> None:
    notice = tmp_path / "notice.txt"
    notice.write_text("We use your address to send what you tick.")
    who = ("--organisation", "Larkmere partnership", "--address", "Millrace House", "--email", "news@example.org")
    assert "postal address" in str(run("installation", "set", "--organisation", "Larkmere").exception)
    assert "privacy notice" in str(run("installation", "set", *who).exception)
    assert run("installation", "set", *who, "--privacy-notice", str(notice)).exit_code == 0
    assert run("installation", "set", "--phone", "01632 960 100", "--sending-mode", "everyone").exit_code == 0

    shown = json.loads(run("installation", "show", "--json").output)
    assert shown == {
        "organisation": "Larkmere partnership",
        "address": "Millrace House",
        "email": "news@example.org",
        "phone": "01632 960 100",
        "privacy_notice_version": 1,
        "sending_mode": "everyone",
    }
    notice.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in str(run("installation", "set", "--privacy-notice", str(notice)).exception)
    assert run("installation", "set", "--sending-mode", "everybody").exit_code == 2


def test_who_had_access_when_data_were_lost(run: Run, now: datetime) -> None:
    """Somebody who signed in and took people out, and somebody who was switched off; in those days and no others."""
    quarterly = people.larkmere(now)
    ruth = people.staff(now, "Ruth Adeyemi", Role.ADMIN)
    owen, tamsin = people.staff(now, "Owen Bright", Role.EDITOR), people.staff(now, "Tamsin Orme", Role.VIEWER)
    with transaction():
        activity.record("staff.signed_in", actor=owen, now=now - timedelta(days=9))
        activity.record("staff.signed_in", actor=owen, now=now)
        activity.record("subscribers.exported", actor=owen, now=now, mailing_list=quarterly)
        accounts.disable(tamsin, actor=ruth, now=now)
    before = run("staff", "access", "--since", "2026-11-20", "--until", "2026-12-01", "--json")
    then = run("staff", "access", "--since", "2026-12-07", "--until", "2026-12-08", "--json")
    by_name = {one["name"]: one for one in json.loads(then.output)}
    assert (by_name["Owen Bright"]["sign_ins"], by_name["Owen Bright"]["exports"]) == (1, 1)
    assert [one["what"] for one in by_name["Tamsin Orme"]["changes"]] == ["staff.disabled"]
    assert by_name["Ruth Adeyemi"]["sign_ins"] == 0 and by_name["Ruth Adeyemi"]["roles"]
    assert {one["name"]: one["sign_ins"] for one in json.loads(before.output)}["Owen Bright"] == 1
    words = run("staff", "access", "--since", "2026-12-07", "--until", "2026-12-08").output
    assert "Owen Bright  owen@example.org  editor on all lists  sign-ins: 1  exports: 1" in words
    assert "  disabled" in words
