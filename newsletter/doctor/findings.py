"""What the doctor says: one sentence a finding, how it stands, and what to do about it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..mail.replies import one_line

_LONGEST = 600


class Health(StrEnum):
    """How one thing stands. UNKNOWN is for what could not be looked at, which says nothing about the thing."""

    GOOD = "good"
    WARNING = "warning"
    WRONG = "wrong"
    UNKNOWN = "unknown"


class Area(StrEnum):
    """What is looked at, as its heading reads."""

    SETTINGS = "Settings"
    DATA = "Data"
    RUNNING = "How it runs"
    NAMES = "Names (DNS)"
    RELAY = "Mail server"
    INBOUND = "Inbound mailbox"
    OUTSIDE = "Public address"
    PROBE = "Probe"
    RECEIVED = "Received mail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `what_to_do` is "" where there is nothing to do."""

    area: Area
    state: Health
    sentence: str
    what_to_do: str = ""

    def as_dict(self) -> dict[str, str]:
        """For machines: values of JSON."""
        return {
            "area": self.area.value,
            "state": self.state.value,
            "sentence": self.sentence,
            "what_to_do": self.what_to_do,
        }


class Notes:
    """The findings of one area, in the order in which they were made. Texts from outside become one short line."""

    def __init__(self, area: Area) -> None:
        self.area = area
        self._found: list[Finding] = []

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def good(self, sentence: str, what_to_do: str = "") -> None:
        self._add(Health.GOOD, sentence, what_to_do)

    def warning(self, sentence: str, what_to_do: str = "") -> None:
        self._add(Health.WARNING, sentence, what_to_do)

    def wrong(self, sentence: str, what_to_do: str = "") -> None:
        self._add(Health.WRONG, sentence, what_to_do)

    def unknown(self, sentence: str, what_to_do: str = "") -> None:
        self._add(Health.UNKNOWN, sentence, what_to_do)

    def _add(self, state: Health, sentence: str, what_to_do: str) -> None:
        self._found.append(Finding(self.area, state, one_line([sentence], _LONGEST), one_line([what_to_do], _LONGEST)))


def worst(findings: Iterable[Finding]) -> Health:
    """The state that counts for the whole: wrong before warning before unknown before good."""
    states = {finding.state for finding in findings}
    order = (Health.WRONG, Health.WARNING, Health.UNKNOWN)
    return next((state for state in order if state in states), Health.GOOD)
