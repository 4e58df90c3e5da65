"""What a run is to its parts: what its senders, its feeder and its allowance may ask of it and tell it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from ...mail.relay import Relay
from ..pace.dispatch import Dispatcher
from ..pace.pacing import Breaker
from .letters import Letter
from .settling import Settler

_T = TypeVar("_T")


class Conductor(Protocol):
    """`running.Run`, as its parts see it. All of it is for the event loop's thread."""

    #: Nothing new is taken any more.
    over: bool
    letter: Letter
    relay: Relay
    breaker: Breaker
    settler: Settler
    dispatcher: Dispatcher
    #: How often a connection broke over a message, by delivery.
    drops: dict[int, int]
    #: How many senders are opening a connection.
    connecting: int

    @property
    def may_offer(self) -> bool:
        """Whether a new message may be begun."""
        ...

    @property
    def in_hand(self) -> bool:
        """Whether anything was claimed that is not settled."""
        ...

    def has_work(self, *, connected: bool) -> bool:
        """Whether a sender would get a message now."""
        ...

    def taken(self) -> None:
        """A sender took a message."""
        ...

    def came_back(self) -> None:
        """What a sender took is settled or returned."""
        ...

    def fail(self, sentence: str) -> None:
        """Something is wrong that a person must look at."""
        ...

    def heed_breaker(self) -> None:
        """Stop if the breaker says so."""
        ...

    def wake(self, number: int) -> None:
        """Have so many of those who wait for news look again."""
        ...

    def wake_all(self) -> None:
        """Have all who wait for news look again."""
        ...

    def held(self) -> None:
        """The issue is paused, cancelled or gone."""
        ...

    def done(self) -> None:
        """Nothing is in hand, and nothing is left to claim."""
        ...

    async def news(self, seconds: float) -> bool:
        """Wait until there may be something to send. False when there was none for so long."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until the run is over."""
        ...

    async def beside(self, work: Callable[[], _T]) -> _T:
        """Work on the database in a thread."""
        ...
