"""The rhythm of a list: the rules of its days, and the turns that follow from them.

A turn is one issue's days: when it goes out and when news for it closes, each by its rule, moved to the working day
before where it falls on a weekend or a bank holiday. Between the sending of one issue and that of the next lies
exactly one deadline, so that each issue can name the next one's.
"""

import logging
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time

from .... import dates
from ....db import db
from ....errors import Invalid, Problem, Refused
from ....i18n import gettext as _
from ....models import Account, CadenceRule, MailingList
from ....states import Cadence, IssueNaming
from ...issues import working_days
from ...staff import activity
from ...staff.permissions import Permission, require
from . import naming
from .rules import Rule, parse

_log = logging.getLogger(__name__)
#: The years for which a rhythm must hold before it is taken.
_YEARS_TRIED = 6
_MOST_APPROVAL_DAYS = 20
_MOST_REMINDERS, _LONGEST_REMINDER = 6, 60
USUAL_REMINDERS = (14, 3, 1)


@dataclass(frozen=True)
class Rhythm:
    """What a list's rhythm consists of, as typed, and, once `checked`, as kept."""

    send_rule: str
    deadline_rule: str
    send_time: time = time(10)
    deadline_time: time = time(17)
    approval_days_before: int = 2
    reminder_days: tuple[int, ...] = USUAL_REMINDERS
    region: str = working_days.USUAL_REGION
    naming: IssueNaming = IssueNaming.MONTH


@dataclass(frozen=True)
class RuleDay:
    """A day that a rule names, and the working day that it became."""

    named: date
    day: date
    region: str

    @property
    def moved(self) -> str:
        """What was moved and why, in a sentence; "" where nothing was."""
        if self.day == self.named:
            return ""
        name, to = dates.day(self.named), dates.day(self.day)
        holiday = working_days.holiday(self.named, self.region)
        if self.named.weekday() >= 5 or not holiday:
            return _("{day} is at the weekend: moved to {to}.").format(day=name, to=to)
        return _("{day} is {holiday}: moved to {to}.").format(day=name, holiday=holiday, to=to)


@dataclass(frozen=True)
class Turn:
    """One issue's days. `key` names the turn: the day of the sending rule, whatever became of it."""

    key: date
    send: RuleDay
    deadline: RuleDay
    approval: date


def rhythm_of(mailing_list: MailingList) -> Rhythm | None:
    """The list's rhythm, if one was chosen."""
    row = db.session.get(CadenceRule, mailing_list.id)
    if row is None:
        return None
    return Rhythm(
        row.send_rule, row.deadline_rule, row.send_time, row.deadline_time, row.approval_days_before,
        tuple(row.reminder_days), row.region, row.naming,
    )  # fmt: skip


def choose(mailing_list: MailingList, rhythm: Rhythm, *, actor: Account | None, now: datetime) -> Rhythm:
    """Give the list this rhythm. Issues that are there keep their dates.

    Raises Invalid with every problem, NotAllowed, Refused for a list that comes as things happen.
    """
    if actor is not None:
        require(actor, Permission.EDIT_ISSUES, mailing_list)
    if mailing_list.cadence is Cadence.NONE:
        sentence = _("{name} comes as things happen. Say in its settings that it has a rhythm, and choose it then.")
        raise Refused(sentence.format(name=mailing_list.name))
    clean = checked(rhythm, now)
    if clean == rhythm_of(mailing_list):
        return clean
    row = db.session.get(CadenceRule, mailing_list.id)
    if row is None:
        row = CadenceRule(list_id=mailing_list.id)
        db.session.add(row)
    for name, value in asdict(clean).items():
        setattr(row, name, list(value) if name == "reminder_days" else value)
    row.updated_at, row.updated_by_id = now, actor.id if actor else None
    db.session.flush()
    activity.record(
        "list.rhythm_chosen", actor=actor, now=now, mailing_list=mailing_list,
        send=clean.send_rule, deadline=clean.deadline_rule, region=clean.region,
    )  # fmt: skip
    _log.info("List %s goes out by %s", mailing_list.slug, clean.send_rule.replace("\n", " and "))
    return clean


def checked(rhythm: Rhythm, now: datetime) -> Rhythm:
    """The rhythm with its rules as they are kept. Raises Invalid with every problem, at the fields' names."""
    problems: list[Problem] = []
    send, deadline = (_rule(getattr(rhythm, name), name, problems) for name in ("send_rule", "deadline_rule"))
    if not working_days.is_known(rhythm.region):
        sentence = _("Choose whose bank holidays count, by a code such as GB-ENG; nobody here knows “{region}”.")
        problems.append(Problem("region", sentence.format(region=rhythm.region[:20])))
    if not 0 <= rhythm.approval_days_before <= _MOST_APPROVAL_DAYS:
        sentence = _("Enter a number of working days from 0 to {most}.").format(most=_MOST_APPROVAL_DAYS)
        problems.append(Problem("approval_days_before", sentence))
    reminders = tuple(sorted(set(rhythm.reminder_days), reverse=True))
    if len(reminders) > _MOST_REMINDERS or any(not 1 <= each <= _LONGEST_REMINDER for each in reminders):
        sentence = _("Enter up to {number} numbers of working days, each from 1 to {most}, such as 14, 3, 1.")
        problems.append(Problem("reminder_days", sentence.format(number=_MOST_REMINDERS, most=_LONGEST_REMINDER)))
    if problems or send is None or deadline is None:
        raise Invalid(problems)
    clean = replace(rhythm, send_rule=send.text, deadline_rule=deadline.text, reminder_days=reminders)
    _require_whole(clean, now.year)
    return clean


def _rule(text: str, field: str, problems: list[Problem]) -> Rule | None:
    try:
        return parse(text)
    except ValueError as error:
        problems.append(Problem(field, str(error)))
        return None


def _require_whole(rhythm: Rhythm, first: int) -> None:
    """Raise Invalid unless the rules fit together in the years to come: a deadline for each issue, a name for each."""
    found = []
    for year in range(first, first + _YEARS_TRIED):
        try:
            found += turns(rhythm, year)
        except ValueError as error:
            raise Invalid([Problem("deadline_rule", str(error))]) from None
    if name := naming.twice(rhythm.naming, [turn.key for turn in found]):
        raise Invalid(
            [Problem("naming", _("Two issues would be called “{name}”. Choose another way.").format(name=name))]
        )


# --- the days ------------------------------------------------------------------------------------------------------


def turns(rhythm: Rhythm, year: int) -> list[Turn]:
    """The turns whose sending day, as its rule names it, is in the year; in order.

    Raises ValueError, in a sentence, where an issue has no deadline of its own before it.
    """
    sends, deadlines = (
        [day for each in (year - 1, year) for day in parse(rule).days(each)]
        for rule in (rhythm.send_rule, rhythm.deadline_rule)
    )
    return [
        _turn(rhythm, send, before, deadlines)
        for before, send in zip([date(year - 1, 1, 1), *sends], sends, strict=False)
        if send.year == year
    ]


def next_turns(rhythm: Rhythm, after: date, number: int) -> list[Turn]:
    """The next `number` turns that go out after the day. Raises ValueError as `turns` does."""
    found: list[Turn] = []
    year = after.year
    while len(found) < number:
        found += [turn for turn in turns(rhythm, year) if turn.send.day > after]
        year += 1
    return found[:number]


def _turn(rhythm: Rhythm, send: date, before: date, deadlines: list[date]) -> Turn:
    between = [day for day in deadlines if before < day < send]
    if len(between) != 1:
        raise ValueError(_not_one(send, before, between))
    goes_out, closes = (
        RuleDay(day, working_days.on_or_before(day, rhythm.region), rhythm.region) for day in (send, between[0])
    )
    if closes.day >= goes_out.day:
        sentence = _("The issue of {day} would go out on the day news for it closes. Leave more time between the two.")
        raise ValueError(sentence.format(day=dates.day(goes_out.day)))
    approval = working_days.working_days_before(goes_out.day, rhythm.approval_days_before, rhythm.region)
    return Turn(send, goes_out, closes, approval)


def _not_one(send: date, before: date, between: list[date]) -> str:
    if not between:
        sentence = _(
            "The issue of {day} has no deadline of its own: none falls between it and the issue before it, of {before}."
        )
    else:
        sentence = _("The issue of {day} has {number} deadlines: {deadlines}. There must be one, after {before}.")
    return sentence.format(
        day=dates.day(send), before=dates.day(before), number=len(between),
        deadlines=" and ".join(map(dates.day, between)),
    )  # fmt: skip


# --- rhythms to begin with -----------------------------------------------------------------------------------------

_QUARTER_STARTS, _BEFORE_QUARTER_ENDS, _QUARTER_ENDS = "1,4,7,10", "2,5,8,11", "3,6,9,12"


@dataclass(frozen=True)
class Preset:
    """A rhythm that newsletters really have, under a name for addresses."""

    name: str
    words: str
    rhythm: Rhythm


PRESETS = (
    Preset(
        "third-friday",
        _("News by 5pm on the third Friday of January, April, July and October; sent on the last Thursday"),
        Rhythm(f"FREQ=YEARLY;BYMONTH={_QUARTER_STARTS};BYDAY=-1TH", f"FREQ=YEARLY;BYMONTH={_QUARTER_STARTS};BYDAY=3FR"),
    ),
    Preset(
        "fifteenth",
        _("Published on the 15th of March, June, September and December; news by the 22nd of the month before"),
        Rhythm(
            f"FREQ=YEARLY;BYMONTH={_QUARTER_ENDS};BYMONTHDAY=15",
            f"FREQ=YEARLY;BYMONTH={_BEFORE_QUARTER_ENDS};BYMONTHDAY=22",
        ),
    ),
    Preset(
        "first-sunday",
        _("The first Sunday of March, June, September and December; news by the third Friday of the month before"),
        Rhythm(
            f"FREQ=YEARLY;BYMONTH={_QUARTER_ENDS};BYDAY=1SU", f"FREQ=YEARLY;BYMONTH={_BEFORE_QUARTER_ENDS};BYDAY=3FR"
        ),
    ),
    Preset(
        "monday-after",
        _("News by the Monday after the third Friday of January, April, July and October; sent on the last Thursday"),
        Rhythm(
            f"FREQ=YEARLY;BYMONTH={_QUARTER_STARTS};BYDAY=-1TH",
            f"FREQ=YEARLY;BYMONTH={_QUARTER_STARTS};BYDAY=MO;BYMONTHDAY=18,19,20,21,22,23,24",
        ),
    ),
    Preset(
        "twenty-sixth",
        _("News by the 26th of May, August and November and the 24th of February; sent in the second week after"),
        Rhythm(
            f"FREQ=YEARLY;BYMONTH={_QUARTER_ENDS};BYDAY=2TH",
            "FREQ=YEARLY;BYMONTH=5,8,11;BYMONTHDAY=26\nFREQ=YEARLY;BYMONTH=2;BYMONTHDAY=24",
        ),
    ),
)
