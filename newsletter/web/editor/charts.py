"""Bar charts as positions in an SVG: made here, so that they need no script and print as they are shown.

A chart is drawn for whoever sees it; the sentence it carries and the table beneath it say the same.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.delivery.reports.report_figures import Series

WIDTH, HEIGHT = 720, 220
_LEFT, _TOP, _BOTTOM = 56, 22, 34
#: A label that begins further right than this would leave the picture.
_LAST_LABEL = WIDTH - 120
_GAP = 0.25
_MOST_LABELS = 4
_MOST_LINES = 4
_THOUSAND = 1_000
_A_DAY = 86_400


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Mark:
    """A word at a place: along the bottom (x) or the side (y)."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """`sentence` says what the picture shows; `rows` are (when, how many), without the empty ones."""

    id: str
    title: str
    sentence: str
    bars: tuple[Bar, ...]
    lines: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    rows: tuple[tuple[str, int], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    floor: int = HEIGHT - _BOTTOM


def bar_chart(
    chart_id: str,
    title: str,
    sentence: str,
    series: Series,
    label: Callable[[datetime], str],
    row: Callable[[datetime], str],
) -> Chart:
    """A chart of numbers over time. `label` says a moment in few letters, below the bars; `row` in the table."""
    top = _nice_top(max(series.numbers, default=0))
    room = HEIGHT - _BOTTOM - _TOP
    step = (WIDTH - _LEFT) / max(1, len(series.numbers))
    bars = tuple(
        _bar(_LEFT + place * step + step * _GAP / 2, step * (1 - _GAP), number / top * room)
        for place, number in enumerate(series.numbers)
        if number
    )
    moments = [series.start + timedelta(seconds=place * series.seconds) for place in range(len(series.numbers))]
    every = _spacing(len(moments), series.seconds)
    lines = min(_MOST_LINES, top)
    return Chart(
        id=chart_id,
        title=title,
        sentence=sentence,
        bars=bars,
        lines=tuple(
            Mark(round(_TOP + room - room * line / lines, 1), _short(top * line // lines)) for line in range(lines + 1)
        ),
        labels=tuple(
            Mark(round(_LEFT + place * step, 1), label(moments[place]))
            for place in range(0, len(moments), every)
            if _LEFT + place * step < _LAST_LABEL
        ),
        rows=tuple((row(moment), number) for moment, number in zip(moments, series.numbers, strict=True) if number),
    )


def _spacing(numbers: int, seconds: int) -> int:
    """How many bars from one label to the next: over several days whole days, for the label is then a day."""
    every, a_day = max(1, math.ceil(numbers / _MOST_LABELS)), max(1, _A_DAY // seconds)
    return math.ceil(every / a_day) * a_day if numbers > 2 * a_day else every


def _bar(x: float, width: float, height: float) -> Bar:
    # The least number is still to be seen beside the greatest.
    height = max(height, 1.0)
    return Bar(round(x, 1), round(HEIGHT - _BOTTOM - height, 1), round(width, 1), round(height, 1))


def _nice_top(most: int) -> int:
    """The end of the scale: at least `most`, and divisible so that every line of the grid is a round number."""
    if most <= _MOST_LINES:
        return max(1, most)
    unit = int(10 ** math.floor(math.log10(most / _MOST_LINES)))
    per_line = next(step * unit for step in (1, 2, 5, 10) if step * unit * _MOST_LINES >= most)
    return per_line * _MOST_LINES


def _short(number: int) -> str:
    """ "940", "1.2k", "500k"."""
    if number < _THOUSAND:
        return str(number)
    return f"{number / _THOUSAND:.1f}".removesuffix(".0") + "k"
