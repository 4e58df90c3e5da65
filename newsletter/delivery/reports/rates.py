"""How many bounced and how many complained, held against the lines that mailbox providers draw.

Sources: Google's and Yahoo's rules for bulk senders (complaints: below 0.1 %, never 0.3 %); the bounce lines of 2 %
and 5 % are the custom of sending services, not of a standard.
"""

from dataclasses import dataclass
from enum import StrEnum

from ...i18n import gettext as _

_COMPLAINTS = (0.001, 0.003)
_BOUNCES = (0.02, 0.05)
#: On a list below this a single complaint is over every line, and says little.
_FEW = 1_000


class Level(StrEnum):
    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"


@dataclass(frozen=True)
class Measure:
    """`number` of those accepted, as a share from 0 to 1, what that means, and how bad it is."""

    number: int
    share: float
    level: Level
    words: str

    @property
    def percent(self) -> str:
        return percent(self.share)


def percent(share: float) -> str:
    """ "0.05%", "2%": as many digits as it needs, two behind the point at most."""
    if 0 < share < 0.0001:
        return _("less than 0.01%")
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"


def complaints(number: int, accepted: int) -> Measure:
    """Those who called it spam, as far as their providers tell."""
    share, level = _level(number, accepted, _COMPLAINTS)
    if not number:
        words = _("Nobody called it spam, as far as mailbox providers tell us.")
    elif number == 1 and accepted < _FEW:
        level = Level.WATCH
        words = _("On a list this small one complaint is over every line. It is still worth knowing why.")
    else:
        words = {
            Level.GOOD: _("Under 0.1%, where mailbox providers want it."),
            Level.WATCH: _("Over the 0.1% that mailbox providers want. From 0.3% they turn mail away."),
            Level.BAD: _("Over 0.3%, where mailbox providers turn mail away. Find out why before the next issue."),
        }[level]
    return Measure(number, share, level, words)


def bounces(number: int, accepted: int) -> Measure:
    """Those whose mail was accepted and came back."""
    share, level = _level(number, accepted, _BOUNCES)
    words = {
        Level.GOOD: _("Under 2%, as it is for a list that is looked after.") if number else _("None came back."),
        Level.WATCH: _("Over 2%: more than a list that is looked after has. From 5% mail servers distrust a sender."),
        Level.BAD: _("Over 5%, where mail servers distrust a sender. Look where these addresses came from."),
    }[level]
    return Measure(number, share, level, words)


def _level(number: int, accepted: int, lines: tuple[float, float]) -> tuple[float, Level]:
    share = number / accepted if accepted else 0.0
    watch, bad = lines
    return share, Level.BAD if share >= bad else Level.WATCH if share >= watch else Level.GOOD
