"""The pictures of a piece that somebody signed in writes: added, described, taken away, as long as its words may be."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ....models import Contribution
from ..texts import sent_pictures
from ..texts.sent_pictures import Came
from . import drafting


def add(contribution: Contribution, came: Came, *, now: datetime) -> None:
    """One more picture. Raises Invalid for too many, Refused once its words are no longer its writer's."""
    _change(contribution, now, lambda: sent_pictures.attach(contribution, [came], now))


def add_what_fits(contribution: Contribution, came: Sequence[Came], *, now: datetime) -> int:
    """As many as there is room for; returns how many there was none for. Raises Refused as `add` does."""
    left: list[int] = []
    _change(contribution, now, lambda: left.append(sent_pictures.attach_what_fits(contribution, came, now)))
    return sum(left)


def describe(contribution: Contribution, alts: Mapping[str, str], *, now: datetime) -> None:
    """What they show, by their names. Raises Invalid, Refused."""
    _change(contribution, now, lambda: sent_pictures.describe(contribution, alts))


def remove(contribution: Contribution, name: str, *, now: datetime) -> None:
    """Take one away. Raises Refused."""
    _change(contribution, now, lambda: sent_pictures.remove(contribution, name))


def _change(contribution: Contribution, now: datetime, change: Callable[[], None]) -> None:
    drafting.begin(contribution)
    drafting.require_changeable(contribution, now)
    change()
