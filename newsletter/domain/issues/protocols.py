"""What other rooms may add to an issue's life, without this room knowing of them.

A `ScheduleGuard` names reasons why an issue cannot be scheduled yet (contributions that nobody decided on). An
`IssueEvent` is told when something happened to an issue (its contributors hear that it is out). Whoever implements
one registers it, under a name of its own, when the application is made. A `WaitingSource` names what waits to be
taken into an issue (contributions that were kept for it).
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


@dataclass(frozen=True)
class Waiting:
    """Something that waits for the issue, at the top of its desk. `kind` says what ("contribution"), and
    `reference` which; `carried` that it came over from an issue before."""

    kind: str
    reference: str
    title: str
    source: str
    carried: bool = False


class Happening(StrEnum):
    """What an IssueEvent is told of."""

    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    CANCELLED = "cancelled"
    DEADLINE_MOVED = "deadline moved"


class ScheduleGuard(Protocol):
    """Reads, inside or outside a transaction; writes nothing."""

    def __call__(self, issue: Issue, now: datetime) -> list[Obstacle]: ...


class IssueEvent(Protocol):
    """Runs in the transaction of what happened, and may write to it."""

    def __call__(self, happening: Happening, issue: Issue, now: datetime) -> None: ...


class WaitingSource(Protocol):
    """Reads; writes nothing."""

    def __call__(self, issue: Issue, now: datetime) -> list[Waiting]: ...


_waiting: dict[str, WaitingSource] = {}
_guards: dict[str, ScheduleGuard] = {}
_events: dict[str, IssueEvent] = {}


def register_schedule_guard(name: str, guard: ScheduleGuard) -> None:
    """Ask `guard` whenever an issue is to be scheduled. A second one of the same name takes its place."""
    _guards[name] = guard


def register_issue_event(name: str, event: IssueEvent) -> None:
    """Tell `event` whatever happens to an issue. A second one of the same name takes its place."""
    _events[name] = event


def register_waiting(name: str, source: WaitingSource) -> None:
    """Ask `source` for what waits at the top of an issue. A second one of the same name takes its place."""
    _waiting[name] = source


def all_waiting(issue: Issue, now: datetime) -> list[Waiting]:
    """What all sources say, what was carried over first."""
    found = [each for _name, source in sorted(_waiting.items()) for each in source(issue, now)]
    return sorted(found, key=lambda each: not each.carried)


def guards_obstacles(issue: Issue, now: datetime) -> list[Obstacle]:
    """What all guards say, in the order of their names."""
    return [obstacle for _name, guard in sorted(_guards.items()) for obstacle in guard(issue, now)]


def tell(happening: Happening, issue: Issue, now: datetime) -> None:
    """Tell everybody who registered, in the running transaction."""
    for _name, event in sorted(_events.items()):
        event(happening, issue, now)
