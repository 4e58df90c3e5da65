"""One recipient domain: how many messages may be out to it, and how long it is left alone when it has had enough."""

import re
from collections import deque

from ...errors import RelayBusy, RelayDown, RelayError
from ...mail.relay import Receipt
from ..ledger.batches import WorkItem

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 30.0, 1800.0
#: A ceiling rises by one, and the next pause is halved, after so many acceptances.
ACCEPTANCES_TO_RECOVER = 20
NO_CEILING = 1 << 30

_TOO_FAST = re.compile(
    r"too (fast|many|much|frequent)|rate.?limit|unusual rate|throttl|slow(ing)? ?down|volume|congest", re.IGNORECASE
)
#: What is about the message or the connection, whatever else it says: every first try is greylisted, and a server
#: that wants a new connection after so many messages means no domain by it.
_NOT_TOO_FAST = re.compile(r"gr[ae]y.?list|too many recipients|connection", re.IGNORECASE)


def asks_to_slow_down(outcome: Receipt | RelayError) -> bool:
    """Whether a reply says that the domain gets too much from us: 4.7.x, or the like in words (not: greylisting)."""
    if not isinstance(outcome, RelayBusy) and not (isinstance(outcome, RelayDown) and outcome.code == 421):
        return False
    if outcome.enhanced == "4.5.3" or _NOT_TOO_FAST.search(outcome.reply):
        return False
    if outcome.enhanced.startswith("4.7.") or _TOO_FAST.search(outcome.reply):
        return True
    return outcome.enhanced in ("4.3.2", "4.4.5") and isinstance(outcome, RelayBusy)


def domain_of(address: str) -> str:
    """What stands after the last @, in lower case."""
    return address[address.rfind("@") + 1 :].lower()


class Domain:
    """What waits for one domain, and how it takes what it gets.

    `out` messages are out; at most `ceiling` may be. It begins low and rises with each reply until there is none, so
    that a domain which does not answer at all never gets many places. It halves, once for all that is out, when the
    domain asks us to slow down or is slow. When it refused so, it is left alone for a pause, which doubles each time.
    `unanswered` were given since it last replied: beyond half of the places few may be, so that a domain which falls
    silent while nobody else has anything waiting does not take them all.
    `overdue` of its messages have been out for too long: until they are answered it gets nothing new.
    """

    __slots__ = (
        "acceptances",
        "ceiling",
        "items",
        "new",
        "out",
        "overdue",
        "pause",
        "paused",
        "slowed_at",
        "standing_at",
        "unanswered",
    )

    def __init__(self, first_places: int) -> None:
        self.items: deque[WorkItem] = deque()
        self.out = 0
        self.ceiling = first_places
        #: Nothing is known against it yet, nor for it.
        self.new = True
        self.unanswered = 0
        self.overdue = 0
        self.acceptances = 0
        self.pause = FIRST_PAUSE_SECONDS
        #: When the pause ends, by the dispatcher's clock; 0 when there is none.
        self.paused = 0.0
        self.slowed_at = float("-inf")
        #: The number of its messages out under which it stands in the dispatcher's line; -1 when it does not.
        self.standing_at = -1

    @property
    def held_back(self) -> bool:
        return (self.ceiling != NO_CEILING and not self.new) or self.overdue > 0

    def replied(self, connections: int) -> None:
        """It answers at all, whatever it says."""
        self.ceiling += 1
        if self.ceiling >= connections:
            self.ceiling, self.new = NO_CEILING, False

    def slow_down(self, now: float, connections: int, *, pause: bool) -> None:
        """Half as many as were out, the one just answered included; nothing at all for a while if it refused."""
        self.ceiling = max(1, min(self.ceiling, self.out + 1, connections) // 2)
        self.slowed_at, self.acceptances, self.new = now, 0, False
        if pause:
            self.paused = now + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE_SECONDS)

    def recover(self, connections: int) -> None:
        """One more acceptance: now and then the ceiling rises, until it is none any more."""
        self.acceptances += 1
        if self.acceptances % ACCEPTANCES_TO_RECOVER:
            return
        self.ceiling += 1
        self.pause = max(self.pause / 2, FIRST_PAUSE_SECONDS)
        if self.ceiling >= connections:
            self.ceiling = NO_CEILING
