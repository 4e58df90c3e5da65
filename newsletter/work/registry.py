"""Every background entry, by name."""

from collections.abc import Callable

Job = Callable[..., None]
JOBS: dict[str, Job] = {}


def job(function: Job) -> Job:
    """Register a function of newsletter.jobs under its own name. It takes ids and returns nothing."""
    name = function.__name__
    if name in JOBS:
        raise ValueError(f"Two jobs are called {name}")
    JOBS[name] = function
    return function
