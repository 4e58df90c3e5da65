"""The forms of the year planner: a rhythm put together from pieces, and the days of one issue."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import time

from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from newsletter import dates
from newsletter.domain.calls.rhythm.cadence import Rhythm
from newsletter.domain.calls.rhythm.rule_pieces import EVERY_MONTH, Pieces, Way, ordinal_name, pieces_of, weekday_name
from newsletter.domain.calls.rhythm.rules import month_name, parse
from newsletter.domain.issues.working_days import REGIONS
from newsletter.errors import Invalid, Problem
from newsletter.i18n import gettext as _
from newsletter.states import IssueNaming
from newsletter.web.form_bases import GuardedForm
from newsletter.web.reading_dates import Unreadable, read_time

_WAYS = [
    SelectChoice(Way.NTH.value, _("A weekday of the month")),
    SelectChoice(Way.DAY.value, _("A date")),
    SelectChoice(Way.AFTER.value, _("A weekday after another one")),
    SelectChoice(Way.RULE.value, _("A rule of your own")),
]
_ORDINALS = [SelectChoice(str(number), ordinal_name(number)) for number in (1, 2, 3, 4, -1)]
#: What comes after the fourth or the last of a month may be in the next one.
_EARLY_ORDINALS = _ORDINALS[:3]
_WEEKDAYS = [SelectChoice(str(number), weekday_name(number)) for number in range(7)]
_MONTHS = [SelectChoice(str(number), month_name(number)) for number in EVERY_MONTH]
_BEFORE = [
    SelectChoice("0", _("The same month")),
    SelectChoice("1", _("The month before")),
    SelectChoice("2", _("Two months before")),
]
_NAMINGS = [
    SelectChoice(IssueNaming.MONTH.value, _("By month, such as December 2026")),
    SelectChoice(IssueNaming.SEASON.value, _("By season, such as Winter 2026")),
    SelectChoice(IssueNaming.NUMBER.value, _("By number, such as Issue 42")),
]
_RULE_HINT = _("As in a calendar file (RFC 5545), for example FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR")
_PARTS = ("send", "deadline")


def _way() -> RadioField:
    return RadioField(_("Which day?"), choices=_WAYS, default=Way.NTH.value)


def _select(label: str, choices: Sequence[SelectChoice]) -> SelectField:
    return SelectField(label, choices=list(choices))


def _text(label: str, hint: str = "") -> StringField:
    return StringField(label, description=hint, render_kw={"autocomplete": "off"})


class RhythmForm(GuardedForm):
    """When issues go out and when news closes. Of each rule, the fields count that belong to the way it is said."""

    months = SelectMultipleField(_("In which months?"), choices=_MONTHS)
    send_way = _way()
    send_ordinal = _select(_("Which one"), _ORDINALS)
    send_weekday = _select(_("Weekday"), _WEEKDAYS)
    send_day = _text(_("Day of the month"), _("A number, or “last”"))
    send_february = _text(_("Another day in February (optional)"))
    send_later = _select(_("The"), _WEEKDAYS)
    send_early = _select(_("after the"), _EARLY_ORDINALS)
    send_earlier = _select(_("Weekday"), _WEEKDAYS)
    send_rule = TextAreaField(_("The rule, one or more lines"), description=_RULE_HINT, render_kw={"rows": 2})
    send_time = _text(_("Time"))
    deadline_before = RadioField(_("In which month?"), choices=_BEFORE, default="0")
    deadline_way = _way()
    deadline_ordinal = _select(_("Which one"), _ORDINALS)
    deadline_weekday = _select(_("Weekday"), _WEEKDAYS)
    deadline_day = _text(_("Day of the month"), _("A number, or “last”"))
    deadline_february = _text(_("Another day in February (optional)"))
    deadline_later = _select(_("The"), _WEEKDAYS)
    deadline_early = _select(_("after the"), _EARLY_ORDINALS)
    deadline_earlier = _select(_("Weekday"), _WEEKDAYS)
    deadline_rule = TextAreaField(_("The rule, one or more lines"), description=_RULE_HINT, render_kw={"rows": 2})
    deadline_time = _text(_("Time"))
    region = _select(_("Whose bank holidays count?"), [SelectChoice(code, name) for code, name in REGIONS.items()])
    naming = RadioField(_("How are issues named?"), choices=_NAMINGS, default=IssueNaming.MONTH.value)
    approval_days_before = _text(
        _("Approved how many working days before it goes out?"), _("From 0, the same day, to 20")
    )
    reminder_days = _text(
        _("Reminders how many working days before news closes?"), _("For example, 14, 3, 1. Left empty, nobody is.")
    )

    def keep_region(self, region: str) -> None:
        """Offer a region that is not among the usual ones, because the list has it."""
        if region not in REGIONS:
            self.region.choices = [*self.region.choices, SelectChoice(region, region)]

    # --- to the fields ---

    def fill(self, rhythm: Rhythm) -> None:
        """Show a rhythm in the fields."""
        send, deadline = (pieces_of(parse(rule)) for rule in (rhythm.send_rule, rhythm.deadline_rule))
        before = None if send.way is Way.RULE else _months_before(send.months, deadline.months)
        if deadline.way is not Way.RULE and before is None:
            deadline = Pieces(Way.RULE, rule=rhythm.deadline_rule)
        self.months.data = [str(month) for month in (() if send.way is Way.RULE else send.months)]
        self.deadline_before.data = str(before or 0)
        for part, pieces in zip(_PARTS, (send, deadline), strict=True):
            self._fill_pieces(part, pieces)
        self.send_rule.data, self.deadline_rule.data = rhythm.send_rule, rhythm.deadline_rule
        self.send_time.data = dates.clock_time(rhythm.send_time)
        self.deadline_time.data = dates.clock_time(rhythm.deadline_time)
        self.region.data, self.naming.data = rhythm.region, rhythm.naming.value
        self.approval_days_before.data = str(rhythm.approval_days_before)
        self.reminder_days.data = ", ".join(str(each) for each in rhythm.reminder_days)

    def _fill_pieces(self, part: str, pieces: Pieces) -> None:
        self[f"{part}_way"].data = pieces.way.value
        self[f"{part}_ordinal"].data = str(pieces.ordinal)
        self[f"{part}_weekday"].data = self[f"{part}_earlier"].data = str(pieces.weekday)
        self[f"{part}_early"].data = str(pieces.ordinal if 1 <= pieces.ordinal <= 3 else 1)
        self[f"{part}_later"].data = str(pieces.later)
        if pieces.way is Way.DAY:
            self[f"{part}_day"].data = _("last") if pieces.day == -1 else str(pieces.day)
            self[f"{part}_february"].data = str(pieces.february or "")

    # --- from the fields ---

    def rhythm(self) -> Rhythm:
        """What the fields say. Raises Invalid, at the fields' names."""
        problems: list[Problem] = []
        months = tuple(int(month) for month in self.months.data or [])
        by_rule = self.send_way.data == Way.RULE.value
        if not months and not (by_rule and self.deadline_way.data == Way.RULE.value):
            problems.append(Problem("months", _("Choose the months in which an issue goes out")))
        before = int(self.deadline_before.data or 0)
        earlier = tuple(sorted((month - 1 - before) % 12 + 1 for month in months))
        send, deadline = self._pieces("send", months, problems), self._pieces("deadline", earlier, problems)
        times = [self._time(f"{part}_time", problems) for part in _PARTS]
        approval = self._numbers("approval_days_before", problems)
        if len(approval) != 1 and not problems:
            problems.append(Problem("approval_days_before", _("Enter one number of working days, such as 2")))
        reminders = self._numbers("reminder_days", problems)
        if problems:
            raise Invalid(problems)
        return Rhythm(
            send.text, deadline.text, times[0], times[1], approval[0], reminders,
            self.region.data or "", IssueNaming(self.naming.data),
        )  # fmt: skip

    def _pieces(self, part: str, months: tuple[int, ...], problems: list[Problem]) -> Pieces:
        def number(name: str) -> int:
            return int(self[f"{part}_{name}"].data or 0)

        way = Way(self[f"{part}_way"].data)
        whole = Pieces(way, months or EVERY_MONTH, rule=self[f"{part}_rule"].data or "")
        match way:
            case Way.NTH:
                return replace(whole, ordinal=number("ordinal"), weekday=number("weekday"))
            case Way.AFTER:
                return replace(whole, ordinal=number("early"), weekday=number("earlier"), later=number("later"))
            case Way.DAY:
                february = self._day(f"{part}_february", problems) if self[f"{part}_february"].data else None
                return replace(whole, day=self._day(f"{part}_day", problems), february=february)
        return whole

    def _day(self, field: str, problems: list[Problem]) -> int:
        typed = (self[field].data or "").strip().lower()
        plain = typed.removesuffix("st").removesuffix("nd").removesuffix("rd").removesuffix("th")
        if typed in ("last", _("last")):
            return -1
        if plain.isascii() and plain.isdecimal() and 1 <= int(plain[:4]) <= 31:
            return int(plain)
        problems.append(Problem(field, _("Enter a day of the month from 1 to 31, or “last”")))
        return 1

    def _time(self, field: str, problems: list[Problem]) -> time:
        try:
            return read_time(self[field].data or "")
        except Unreadable as error:
            problems.append(Problem(field, str(error)))
            return time(0)

    def _numbers(self, field: str, problems: list[Problem]) -> tuple[int, ...]:
        words = (self[field].data or "").replace(",", " ").replace(_("and"), " ").split()
        if all(word.isascii() and word.isdecimal() and len(word) < 4 for word in words):
            return tuple(int(word) for word in words)
        problems.append(Problem(field, _("Enter numbers, such as 14, 3, 1")))
        return ()


def _months_before(sends: tuple[int, ...], deadlines: tuple[int, ...]) -> int | None:
    """By how many months all deadlines lie before the sendings; None where no one number says it."""
    for before in range(len(_BEFORE)):
        if tuple(sorted((month - 1 - before) % 12 + 1 for month in sends)) == deadlines:
            return before
    return None
