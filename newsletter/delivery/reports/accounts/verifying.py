"""Whether the accounts are right: the deliveries against each other, the kept totals and the wire logs."""

from collections.abc import Iterator

from sqlalchemy import func, literal, select, text, union_all

from ....db import db
from ....models import Delivery, DeliveryTally, Issue, Worker
from ....states import DeliveryState, IssueState
from ....work.liveness import gone, wire_folder
from ...ledger.wirelog import Phase, Verdict, WireLogDamaged, last_records
from .counting import Counts, aggregated_at


def verify(issue: Issue) -> list[str]:
    """What does not add up, as sentences; empty when all is right.

    Looks at the deliveries themselves: the sum, the states that do not go together, rows that dead runs hold, and
    what wire logs contradict; and holds the kept totals against them. Of an issue whose deliveries were given up
    (`aggregated_at`) only the totals are left to look at.
    """
    kept, found = _both(issue)
    if aggregated_at(issue) is not None:
        kept = kept or Counts(issue.recipients)
        return [*_sum(kept), *_states(issue, kept)]
    differs = _difference(kept, found) if kept is not None else ()
    rows = (*_duplicates(issue), *_untried(issue), *_claims(issue), *_wire_logs(issue))
    return [*_sum(found), *differs, *_states(issue, found), *rows]


def _both(issue: Issue) -> tuple[Counts | None, Counts]:
    """The totals, None where there are none, and the deliveries counted: by one statement, so of one instant."""
    kept = select(literal(True), DeliveryTally.state, DeliveryTally.number).where(DeliveryTally.issue_id == issue.id)
    found = (
        select(literal(False), Delivery.state, func.count())
        .where(Delivery.issue_id == issue.id)
        .group_by(Delivery.state)
    )
    numbers: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for is_kept, state, number in db.session.execute(union_all(kept, found)):
        numbers[is_kept][state.value] = number
    of_rows = Counts(issue.recipients, **numbers[False])
    return (Counts(issue.recipients, **numbers[True]) if numbers[True] else None), of_rows


def _sum(found: Counts) -> Iterator[str]:
    if not found.adds_up:
        yield f"{found.total} recipients are in the accounts, and {found.recipients} were frozen at the start."


def _difference(kept: Counts, found: Counts) -> Iterator[str]:
    for state, number in found.as_dict().items():
        if (said := kept.as_dict()[state]) != number:
            yield f"The totals that pages show say {said} {state}; the deliveries themselves are {number}."


def _duplicates(issue: Issue) -> Iterator[str]:
    # The table forbids it; a table that was restored or mended by hand may not.
    twice = (
        select(Delivery.subscription_id)
        .where(Delivery.issue_id == issue.id)
        .group_by(Delivery.subscription_id)
        .having(func.count() > 1)
    )
    number = db.session.scalar(select(func.count()).select_from(twice.subquery())) or 0
    if number:
        yield f"{number} subscriptions stand in the accounts more than once."


def _states(issue: Issue, found: Counts) -> Iterator[str]:
    started = issue.state in {IssueState.SENDING, IssueState.PAUSED, IssueState.SENT}
    if not started and issue.state is not IssueState.CANCELLED and found.total:
        yield f"The issue is {issue.state.value}, and yet {found.total} deliveries exist."
    if issue.state is IssueState.SENT and found.queued:
        yield f"The issue is called sent, and {found.queued} messages are still queued."
    if issue.state is IssueState.CANCELLED and found.queued + found.deferred:
        yield f"The issue is cancelled, and {found.queued + found.deferred} messages still wait to be sent."


def _untried(issue: Issue) -> Iterator[str]:
    number = db.session.scalar(
        select(func.count()).where(
            Delivery.issue_id == issue.id, Delivery.state == DeliveryState.ACCEPTED, Delivery.attempts == 0
        )
    )
    if number:
        yield f"{number} messages are called accepted and were never tried."


def _claims(issue: Issue) -> Iterator[str]:
    dead = [worker.id for worker, _fate in gone()]
    held = db.session.scalar(
        select(func.count())
        .select_from(Delivery)
        .join(Worker, Worker.id == Delivery.owner)
        .where(
            Delivery.issue_id == issue.id,
            text("delivery.state = 'claimed'"),
            Worker.id.in_(dead) | Worker.ended_at.is_not(None),
        )
    )
    if held:
        yield f"{held} messages are held by a sending program that has ended; they are settled within a minute."


def _wire_logs(issue: Issue) -> Iterator[str]:
    """A log that says "accepted" where the accounts say "still to be sent" means that somebody gets it twice."""
    waiting = set(
        db.session.scalars(
            select(Delivery.id).where(
                Delivery.issue_id == issue.id, Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.DEFERRED])
            )
        )
    )
    for path in sorted(wire_folder().glob("*.wire")):
        try:
            records = last_records(path, waiting).values()
        except WireLogDamaged:
            yield f"The wire log {path.name} is damaged."
            continue
        except OSError:
            continue
        for record in records:
            if record.phase is Phase.ANSWERED and record.verdict is Verdict.ACCEPTED:
                yield f"Delivery {record.delivery} was accepted, as a wire log says, and is still to be sent."
