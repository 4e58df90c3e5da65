"""A year drawn to scale: a row for each issue, from the opening of its call to its sending. Hidden from readers,
who have the same days as text below."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from newsletter.domain.calls.rhythm.rules import month_name
from newsletter.domain.issues.working_days import bank_holidays

#: The drawing's own units: 1120 wide, names in the first 144.
_WIDTH, _LEFT = 1120, 144
_TOP, _ROW = 84, 44
_BAR = 16


@dataclass(frozen=True)
class Days:
    """One issue's days, as far as they are known. `made`: there is an issue, and not only a turn of the rhythm."""

    name: str
    opens: date | None
    closes: date | None
    approve: date | None
    send: date | None
    made: bool = True


@dataclass(frozen=True)
class Row:
    """Where an issue's marks stand; lengths in the drawing's units, None for what has no day in this year."""

    name: str
    y: float
    made: bool
    call: tuple[float, float] | None
    work: tuple[float, float] | None
    send: float | None


@dataclass(frozen=True)
class Drawing:
    """What the template draws."""

    height: float
    months: list[tuple[float, str]]
    holidays: list[tuple[float, float]]
    today: float | None
    rows: list[Row] = field(default_factory=list)


def draw(year: int, issues: Iterable[Days], today: date, region: str) -> Drawing:
    """The year from the first of January to the end of December."""
    scale = _Scale(year)
    closed = bank_holidays(year, region)
    rows = [_row(scale, number, each) for number, each in enumerate(issues)]
    return Drawing(
        height=_TOP + _ROW * max(len(rows), 1),
        months=[(scale.at(date(year, month, 1)), month_name(month)) for month in range(1, 13)],
        holidays=[(scale.at(day), scale.at(day + timedelta(days=1)) - scale.at(day)) for day in closed],
        today=scale.at(today) if today.year == year else None,
        rows=rows,
    )


class _Scale:
    def __init__(self, year: int) -> None:
        self.first, self.after = date(year, 1, 1), date(year + 1, 1, 1)
        self._a_day = (_WIDTH - _LEFT) / (self.after - self.first).days

    def at(self, day: date) -> float:
        """Where the day begins; a day out of the year at its edge."""
        inside = min(max(day, self.first), self.after)
        return round(_LEFT + (inside - self.first).days * self._a_day, 1)

    def middle(self, day: date) -> float | None:
        return round(self.at(day) + self._a_day / 2, 1) if self.first <= day < self.after else None

    def bar(self, begins: date | None, ends: date | None) -> tuple[float, float] | None:
        """From the morning of one day to the evening of another, as far as it is in the year: (x, length)."""
        if begins is None or ends is None or begins > ends:
            return None
        x, end = self.at(begins), self.at(ends + timedelta(days=1))
        return (x, round(end - x, 1)) if end > x else None


def _row(scale: _Scale, number: int, days: Days) -> Row:
    begin_work = days.closes + timedelta(days=1) if days.closes else None
    return Row(
        name=days.name,
        y=_TOP + _ROW * number,
        made=days.made,
        call=scale.bar(days.opens, days.closes),
        work=scale.bar(begin_work, days.approve),
        send=scale.middle(days.send) if days.send else None,
    )
