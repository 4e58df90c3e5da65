"""The pieces that people put a rule together from, and the words in which a rule is said.

"The third Friday", "the 22nd", "the Monday after the third Friday", each of some months. A rule of another shape is
kept and shown as it was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from .... import dates
from ....i18n import gettext as _
from .rules import Line, Rule, month_name, parse

_ORDINALS = {1: _("first"), 2: _("second"), 3: _("third"), 4: _("fourth"), 5: _("fifth"), -1: _("last")}
_WEEK = 7
_FEBRUARY = 2
EVERY_MONTH = tuple(range(1, 13))


class Way(StrEnum):
    """How somebody says a day of a month."""

    NTH = "nth"
    DAY = "day"
    AFTER = "after"
    RULE = "rule"


@dataclass(frozen=True)
class Pieces:
    """A rule as people choose it: of each field, those that its `way` needs.

    `ordinal` (1 to 4, or -1 for the last) and `weekday` (0 for Monday) say "the third Friday"; with AFTER, `later`
    is the weekday that follows it. `day` is the day of the month, -1 its last one, `february` another day there.
    """

    way: Way
    months: tuple[int, ...] = EVERY_MONTH
    ordinal: int = 1
    weekday: int = 0
    later: int = 0
    day: int = 1
    february: int | None = None
    rule: str = ""

    @property
    def text(self) -> str:
        """The rule that says this. It still has to be parsed: not every combination has days."""
        match self.way:
            case Way.RULE:
                return self.rule
            case Way.NTH:
                return self._line(weekdays=((self.ordinal, self.weekday),)).text
            case Way.AFTER:
                return self._line(weekdays=((0, self.later),), days=self._week_after()).text
        if self.february is None or _FEBRUARY not in self.months:
            return self._line(days=(self.day,)).text
        others = tuple(month for month in self.months if month != _FEBRUARY)
        lines = [Line(True, (_FEBRUARY,), days=(self.february,))]
        if others:
            lines.insert(0, Line(True, others, days=(self.day,)))
        return "\n".join(line.text for line in lines)

    def _line(self, weekdays: tuple[tuple[int, int], ...] = (), days: tuple[int, ...] = ()) -> Line:
        every = self.months == EVERY_MONTH
        return Line(not every, () if every else self.months, weekdays, days)

    def _week_after(self) -> tuple[int, ...]:
        """The days of the month on which `later` can fall."""
        first = _WEEK * (self.ordinal - 1) + 1 + ((self.later - self.weekday) % _WEEK or _WEEK)
        return tuple(range(first, first + _WEEK))


def pieces_of(rule: Rule) -> Pieces:
    """The pieces of a rule; RULE with its own text where it has another shape."""
    whole = Pieces(Way.RULE, rule=rule.text)
    if len(rule.lines) == 1:
        return _pieces(rule.lines[0]) or whole
    return _with_february(rule.lines) or whole


def _pieces(line: Line) -> Pieces | None:
    months = line.months or EVERY_MONTH
    if line.positions:
        return None
    if len(line.weekdays) == 1 and not line.days:
        ordinal, weekday = line.weekdays[0]
        return Pieces(Way.NTH, months, ordinal, weekday) if ordinal in (1, 2, 3, 4, -1) else None
    if len(line.days) == 1 and not line.weekdays:
        return Pieces(Way.DAY, months, day=line.days[0])
    if len(line.weekdays) == 1 and line.weekdays[0][0] == 0:
        return _after(line.weekdays[0][1], line.days, months)
    return None


def _after(later: int, days: tuple[int, ...], months: tuple[int, ...]) -> Pieces | None:
    """A weekday within seven days in a row: "the Monday after the third Friday"; the nth one where they are a week."""
    first = days[0]
    if first < 1 or days != tuple(range(first, first + _WEEK)):
        return None
    week, into = divmod(first - 1, _WEEK)
    if into == 0:
        return Pieces(Way.NTH, months, week + 1, later) if week < 4 else None
    return Pieces(Way.AFTER, months, week + 1, (later - into) % _WEEK, later)


def _with_february(lines: Sequence[Line]) -> Pieces | None:
    """ "The 26th, and the 24th in February": a day of some months, and another of February."""
    if len(lines) != 2:
        return None
    february = next((line for line in lines if line.months == (_FEBRUARY,)), None)
    other = next((line for line in lines if line is not february), None)
    first, second = (_pieces(line) if line else None for line in (other, february))
    if first is None or second is None or (first.way, second.way) != (Way.DAY, Way.DAY):
        return None
    if _FEBRUARY in first.months:
        return None
    return replace(first, months=tuple(sorted((_FEBRUARY, *first.months))), february=second.day)


# --- words ---------------------------------------------------------------------------------------------------------


def in_words(text: str) -> str:
    """ "the third Friday of January, April, July and October"; a rule of another shape as it is written."""
    rule = parse(text)
    said = [_said(line) for line in rule.lines]
    if None in said:
        return _("the days of the rule {rule}").format(rule=rule.text.replace("\n", ", "))
    return _(", and ").join(filter(None, said))


def _said(line: Line) -> str | None:
    piece = _pieces(line)
    if piece is not None:
        return _of_months(_day_words(piece), line.months)
    if line.positions or (line.weekdays and line.days) or any(number == 0 for number, _weekday in line.weekdays):
        return None
    named = [_("the {ordinal} {weekday}").format(ordinal=_ORDINALS[n], weekday=weekday_name(d))
             for n, d in line.weekdays if n in _ORDINALS]  # fmt: skip
    named += [_("the {day}").format(day=nth(day)) for day in line.days if day > 0]
    if len(named) != len(line.weekdays) + len(line.days):
        return None
    return _of_months(joined(named), line.months)


def _day_words(piece: Pieces) -> str:
    if piece.way is Way.DAY:
        return _("the last day") if piece.day == -1 else _("the {day}").format(day=nth(piece.day))
    ordinal, weekday = _ORDINALS[piece.ordinal], weekday_name(piece.weekday)
    if piece.way is Way.NTH:
        return _("the {ordinal} {weekday}").format(ordinal=ordinal, weekday=weekday)
    return _("the {later} after the {ordinal} {weekday}").format(
        later=weekday_name(piece.later), ordinal=ordinal, weekday=weekday
    )


def _of_months(day: str, months: tuple[int, ...]) -> str:
    if months in ((), EVERY_MONTH):
        return _("{day} of every month").format(day=day)
    return _("{day} of {months}").format(day=day, months=joined([month_name(month) for month in months]))


def nth(day: int) -> str:
    """ "22nd"; "3rd from the end" for a day counted from there."""
    if day < 0:
        return _("{day} from the end").format(day=nth(-day))
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th") if day not in (11, 12, 13) else "th"
    return f"{day}{ending}"


def ordinal_name(number: int) -> str:
    """ "third", or "last" for -1."""
    return _ORDINALS[number]


def weekday_name(number: int) -> str:
    """ "Monday" for 0."""
    # The third of January 2000 was a Monday.
    return dates.day(date(2000, 1, 3 + number)).split()[0]


def joined(words: Sequence[str]) -> str:
    """ "January, April and July"."""
    if len(words) < 2:
        return "".join(words)
    return _("{most} and {last}").format(most=", ".join(words[:-1]), last=words[-1])
