"""What other rooms may add to an issue's life, without this room knowing of them.

A `ScheduleGuard` names reasons why an issue cannot be scheduled yet (contributions that nobody decided on). An
`IssueEvent` is told when something happened to an issue (its contributors hear that it is out). Whoever implements
one registers it, under a name of its own, when the application is made.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ...models import Issue


@dataclass(frozen=True)
class Obstacle:
    """One reason why an issue cannot be scheduled. `code` is stable; `sentence` says what to do.

    Not even an administrator's override passes one that is `firm`.
    """

    code: str
    sentence: str
    firm: bool = False


class Happening(StrEnum):
    """What an IssueEvent is told of."""

    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class ScheduleGuard(Protocol):
    """Reads, inside or outside a transaction; writes nothing."""

    def __call__(self, issue: Issue, now: datetime) -> list[Obstacle]: ...


class IssueEvent(Protocol):
    """Runs in the transaction of what happened, and may write to it."""

    def __call__(self, happening: Happening, issue: Issue, now: datetime) -> None: ...


_guards: dict[str, ScheduleGuard] = {}
_events: dict[str, IssueEvent] = {}


def register_schedule_guard(name: str, guard: ScheduleGuard) -> None:
    """Ask `guard` whenever an issue is to be scheduled. A second one of the same name takes its place."""
    _guards[name] = guard


def register_issue_event(name: str, event: IssueEvent) -> None:
    """Tell `event` whatever happens to an issue. A second one of the same name takes its place."""
    _events[name] = event


def guards_obstacles(issue: Issue, now: datetime) -> list[Obstacle]:
    """What all guards say, in the order of their names."""
    return [obstacle for _name, guard in sorted(_guards.items()) for obstacle in guard(issue, now)]


def tell(happening: Happening, issue: Issue, now: datetime) -> None:
    """Tell everybody who registered, in the running transaction."""
    for _name, event in sorted(_events.items()):
        event(happening, issue, now)
