"""Every background entry, by name, and the lane it runs in."""

from collections.abc import Callable
from enum import StrEnum

Job = Callable[..., None]
JOBS: dict[str, Job] = {}


class Lane(StrEnum):
    """Jobs of one lane wait for each other and for nobody else."""

    #: Mails to one person: somebody sits and waits for a confirmation.
    NOTICES = "notices"
    #: What begins a sending: short, and due to the minute.
    LAUNCHING = "launching"
    #: Sending runs: they last for minutes, and for hours where the mail server is slow.
    SENDING = "sending"
    #: Everything else.
    DUTIES = "duties"


#: How many jobs of a lane one worker does side by side.
SLOTS = {Lane.NOTICES: 2, Lane.LAUNCHING: 1, Lane.SENDING: 4, Lane.DUTIES: 2}

_lanes: dict[str, Lane] = {}


def job(function: Job) -> Job:
    """Register a function of newsletter.jobs under its own name. It takes ids and returns nothing."""
    name = function.__name__
    if name in JOBS:
        raise ValueError(f"Two jobs are called {name}")
    JOBS[name] = function
    return function


def job_in(lane: Lane) -> Callable[[Job], Job]:
    """Register a job that runs in `lane`, not among the other duties."""

    def register(function: Job) -> Job:
        _lanes[function.__name__] = lane
        return job(function)

    return register


def lane_of(job_name: str) -> Lane:
    return _lanes.get(job_name, Lane.DUTIES)
