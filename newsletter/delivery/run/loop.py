"""The event loop that a run sends on: uvloop's where it is installed (the extra "speed"), else Python's own."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

#: How long one thread may keep the interpreter from another that wants it. The loop gives it up at each wait for the
#: network, and with Python's own 5 milliseconds it would stand idle for as long as claims and outcomes are made ready.
_TURN_SECONDS = 0.0002


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run `work` to its end on a loop of its own, and return or raise what it does. Not within a running loop.

    From then on the threads of this process take shorter turns.
    """
    sys.setswitchinterval(min(sys.getswitchinterval(), _TURN_SECONDS))
    with asyncio.Runner(loop_factory=_new_loop()) as runner:
        return runner.run(work)


def name() -> str:
    """Whose loop it is: "uvloop" or "asyncio"."""
    return "uvloop" if _new_loop() else "asyncio"


def _new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop
