"""`newsletter lists create … --send-rule …`, `lists rhythm` and `lists plan`, as somebody types them."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
import time_machine
from click.testing import CliRunner, Result
from flask import Flask

from newsletter.cli import context
from newsletter.cli.lists import lists
from newsletter.errors import NewsletterError
from tests import people

Run = Callable[..., Result]
RULES = ("--send-rule", "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=-1TH", "--deadline-rule",
         "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR")  # fmt: skip


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch, now: datetime) -> Iterator[Run]:
    """Run a command on the test's own application, on Monday 7 December 2026."""
    monkeypatch.setattr(context, "make_app", lambda: app)
    people.larkmere(now)
    with time_machine.travel(now, tick=False):
        yield lambda *words: CliRunner().invoke(lists, list(words))


def test_a_newsletter_is_made_with_its_rhythm_and_a_year_laid_out(run: Run) -> None:
    made = run("create", "practice", "--name", "Practice notes", "--cadence", "quarterly", *RULES, "--json")
    assert json.loads(made.output)["rhythm"]["deadline_rule"] == "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR"
    assert run("rhythm", "practice").output == (
        "News closes at 5pm on the third Friday of January, April, July and October.\n"
        "Issues go out at 10am on the last Thursday of January, April, July and October.\n"
    )

    assert "April 2027: would be: news by 5pm, Friday 16 April 2027, out on Thursday 29 April 2027\n" in run(
        "plan", "practice", "--year", "2027", "--dry-run"
    ).output  # fmt: skip
    shown = json.loads(run("plan", "practice", "--year", "2027", "--json").output)
    assert [(each["title"], each["slug"], each["made"]) for each in shown] == [
        ("January 2027", "january-2027", True), ("April 2027", "april-2027", True),
        ("July 2027", "july-2027", True), ("October 2027", "october-2027", True),
    ]  # fmt: skip
    assert "July 2027: is there, and is left as it is" in run("plan", "practice", "--year", "2027").output


def test_one_thing_of_a_rhythm_is_changed(run: Run) -> None:
    run("rhythm", "safeguarding-news", *RULES)
    run("rhythm", "safeguarding-news", "--deadline-time", "12:00", "--region", "")
    kept = json.loads(run("rhythm", "safeguarding-news", "--json").output)

    assert (kept["deadline_time"], kept["region"], kept["send_time"]) == ("12:00:00", "", "10:00:00")
    assert kept["send_rule"] == RULES[1]


def test_two_lines_of_a_rule_are_parted_by_a_bar(run: Run) -> None:
    run(
        "rhythm", "safeguarding-news", "--send-rule", "FREQ=YEARLY;BYMONTH=3,6,9,12;BYDAY=2TH", "--deadline-rule",
        "FREQ=YEARLY;BYMONTH=5,8,11;BYMONTHDAY=26|FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=24",
    )  # fmt: skip

    assert "the 26th of May, August and November, and the 24th of February" in run("rhythm", "safeguarding-news").output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("rhythm", "safeguarding-news", "--send-rule", RULES[1]), "--deadline-rule is missing"),
        (("rhythm", "safeguarding-news", "--send-time", "25:00"), "does not match the format"),
        (("rhythm", "safeguarding-news", "--send-rule", "FREQ=DAILY", *RULES[2:]), "begins with FREQ=YEARLY"),
        (("rhythm", "nobody", *RULES), "no list 'nobody'"),
        (("plan", "safeguarding-news", "--year", "2027"), "has no rhythm yet"),
        (("create", "changes", "--name", "Changes", *RULES), "comes as things happen"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, words: tuple[str, ...], sentence: str) -> None:
    result = run(*words)

    assert result.exit_code != 0
    said = str(result.exception) if isinstance(result.exception, NewsletterError) else result.output
    assert sentence in said
