"""`newsletter lists rhythm` and `lists plan`: when a newsletter goes out, and a year of it laid out."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import click

from .. import clock, dates
from ..db import transaction
from ..domain.calls.rhythm import cadence, planning
from ..domain.calls.rhythm.cadence import Rhythm
from ..domain.calls.rhythm.planning import Planned
from ..domain.calls.rhythm.rule_pieces import in_words
from ..domain.staff import mailing_lists
from ..models import MailingList
from ..states import IssueNaming
from .context import print_json, with_app

_Command = Callable[..., Any]


_TIME = click.DateTime(["%H:%M"])
_OPTIONS = (
    click.option("--send-rule", metavar="RRULE", help="The days it goes out, as FREQ=YEARLY;BYMONTH=…;BYDAY=-1TH."),
    click.option("--deadline-rule", metavar="RRULE", help="The days news closes, one before each of these."),
    click.option("--send-time", type=_TIME, metavar="HH:MM", help="10:00 unless said otherwise."),
    click.option("--deadline-time", type=_TIME, metavar="HH:MM", help="17:00 unless said otherwise."),
    click.option("--region", help="Whose bank holidays count, such as GB-ENG; '' for weekends only."),
    click.option("--naming", type=click.Choice([one.value for one in IssueNaming]), help="What issues are called."),
)


def rhythm_options(command: _Command) -> _Command:
    """The options that say a rhythm."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def choose_rhythm(mailing_list: MailingList, typed: dict[str, Any], now: datetime) -> Rhythm | None:
    """Give the list the rhythm of these options, those left out as they were; None where none was given.

    Several lines of a rule are parted by "|". Raises UsageError where a rule is missing, and as `cadence.choose` does.
    """
    given = {name: value for name, value in typed.items() if value is not None}
    if not given:
        return None
    before = cadence.rhythm_of(mailing_list)
    missing = [name for name in ("send_rule", "deadline_rule") if name not in given]
    if before is None and missing:
        raise click.UsageError(f"A rhythm needs both rules: --{missing[0].replace('_', '-')} is missing.")
    given |= {name: given[name].time() for name in ("send_time", "deadline_time") if name in given}
    if "naming" in given:
        given["naming"] = IssueNaming(given["naming"])
    for name in ("send_rule", "deadline_rule"):
        if name in given:
            given[name] = given[name].replace("|", "\n")
    rhythm = replace(before, **given) if before else Rhythm(**given)
    return cadence.choose(mailing_list, rhythm, actor=None, now=now)


@click.command()
@click.argument("slug")
@rhythm_options
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def rhythm(slug: str, as_json: bool, **typed: Any) -> None:
    """When the newsletter SLUG goes out; with options, change it. Issues that are there keep their dates."""
    mailing_list = mailing_lists.find_list(slug)
    with transaction():
        found = choose_rhythm(mailing_list, typed, clock.now()) or cadence.rhythm_of(mailing_list)
    if as_json:
        print_json(asdict(found) if found else None)
    elif found is None:
        click.echo(f"{mailing_list.name} has no rhythm yet.")
    else:
        click.echo(f"News closes at {dates.clock_time(found.deadline_time)} on {in_words(found.deadline_rule)}.")
        click.echo(f"Issues go out at {dates.clock_time(found.send_time)} on {in_words(found.send_rule)}.")


@click.command()
@click.argument("slug")
@click.option("--year", type=int, required=True)
@click.option("--first-number", type=click.IntRange(1), help="Of the first issue made, where issues are counted.")
@click.option("--dry-run", is_flag=True, help="Show what would be made, and make nothing.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def plan(slug: str, year: int, first_number: int | None, dry_run: bool, as_json: bool) -> None:
    """Lay out a year of the newsletter SLUG: one empty issue for each turn of its rhythm. Twice makes each once."""
    mailing_list, now = mailing_lists.find_list(slug), clock.now()
    made: set[int] = set()
    if not dry_run:
        with transaction():
            issues = planning.lay_out(mailing_list, year, first_number=first_number, actor=None, now=now)
            made = {issue.id for issue in issues}
    planned = planning.plan(mailing_list, year, now, first_number=first_number)
    if as_json:
        print_json([_as_dict(each, made) for each in planned])
        return
    for each in planned:
        click.echo(f"{_title(each)}: {_outcome(each, made)}")


def _title(each: Planned) -> str:
    return each.issue.title if each.issue else each.title


def _outcome(each: Planned, made: set[int]) -> str:
    days = f"news by {each.deadline.words}, out on {dates.day(each.turn.send.day)}"
    if each.issue is None:
        return f"over, it would have gone out on {dates.day(each.turn.send.day)}" if each.over else f"would be: {days}"
    if each.issue.id not in made:
        return "is there, and is left as it is"
    return " ".join([f"made, {days}.", each.turn.deadline.moved, each.turn.send.moved]).strip()


def _as_dict(each: Planned, made: set[int]) -> dict[str, object]:
    turn = each.turn
    return {
        "turn": turn.key,
        "title": _title(each),
        "slug": each.issue.slug if each.issue else None,
        "made": each.issue is not None and each.issue.id in made,
        "over": each.over,
        "deadline": each.deadline.instant,
        "goes_out": each.goes_out,
        "approval_on": turn.approval,
        "moved": [rule.moved for rule in (turn.deadline, turn.send) if rule.moved],
    }
