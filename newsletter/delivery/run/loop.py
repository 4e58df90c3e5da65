"""The event loop that a run sends on: uvloop's where it is installed (the extra "speed"), else Python's own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run `work` to its end on a loop of its own, and return or raise what it does. Not within a running loop."""
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
