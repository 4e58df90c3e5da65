"""What the faults of a test run have done, added up for the last lines of its output.

A test's figures travel with its report (as a property of it), so they arrive wherever the report does.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

PROPERTY = "faults"
#: Of these the largest is kept; of the others the sum.
_LARGEST = frozenset({"unsure_of_one_death"})


class Figures:
    """`runs`, `messages`, `kills`, `unsure`, `lost`, `doubled` … of one test. The last two are what must not be."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def add(self, **numbers: int) -> None:
        """One more run, and its numbers."""
        for name, number in {"runs": 1, **numbers}.items():
            so_far = self.numbers.get(name, 0)
            self.numbers[name] = max(so_far, number) if name in _LARGEST else so_far + number


def summary(reports: Iterable[Any]) -> list[str]:
    """The lines for the end of the run; none when no test of these was among the reports."""
    total = Counter[str]()
    for report in reports:
        for name, figures in getattr(report, "user_properties", ()):
            if name != PROPERTY:
                continue
            for each, number in figures.items():
                total[each] = max(total[each], number) if each in _LARGEST else total[each] + number
    return [f"{number:>9,}  {name.replace('_', ' ')}" for name, number in total.items()]
