"""From a thousand readers to a hundred million: what one issue costs, by what was measured, and what is the limit.

    python -m tests.bench.scale                       # the tables of docs/scale.md
    python -m tests.bench.scale --measure 50000       # the constants, measured anew on this machine

The paper part adds and divides. The simulation plays the sending as a closed network of queues (each connection waits
for its worker, for the database, for the relay's pace and for the way there and back), and so shows what queueing takes
from the sum.
"""

import argparse
import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

MESSAGE_BYTES = 30_500


@dataclass(frozen=True)
class Measured:
    """What a reader and a message cost. Seconds are of a processor, bytes are of the database with its indexes."""

    database: str
    sender_seconds: float
    database_seconds: float
    freeze_seconds: float
    subscriber_bytes: int
    delivery_bytes: int


#: By `--measure 50000`: docs/scale.md says when and where.
SQLITE = Measured("SQLite", 97e-6, 0.0, 3.6e-6, 594, 81)
POSTGRESQL = Measured("PostgreSQL", 87e-6, 31e-6, 13.1e-6, 793, 405)


@dataclass(frozen=True)
class Arrangement:
    """Who sends: so many workers with so many connections each, to a relay that answers after `answer_seconds`."""

    workers: int
    connections: int
    answer_seconds: float
    database_processors: int
    relay_per_second: float = float("inf")

    @property
    def out(self) -> int:
        """Messages on the way at one time."""
        return self.workers * self.connections


def most_a_second(costs: Measured, who: Arrangement) -> tuple[float, str]:
    """Messages a second if nobody ever waited for anybody (operational bounds), and what sets it."""
    limits = {
        "the way to the relay and back": who.out / (who.answer_seconds + costs.sender_seconds + costs.database_seconds),
        "the workers' processors": who.workers / costs.sender_seconds,
        "the relay's pace": who.relay_per_second,
    }
    if costs.database_seconds:
        limits["the database's processors"] = who.database_processors / costs.database_seconds
    name = min(limits, key=lambda each: limits[each])
    return limits[name], name


class _Line:
    """A queue before some servers that are all alike: first come, first served, each for a time that varies."""

    def __init__(self, servers: int, seconds: float, chance: random.Random) -> None:
        self._free_at = [0.0] * servers
        self._seconds = seconds
        self._chance = chance

    def leave(self, arrives: float) -> float:
        """When somebody who arrives then is through. Arrivals must be told in order."""
        ends = max(arrives, heapq.heappop(self._free_at)) + self._seconds * self._chance.expovariate(1.0)
        heapq.heappush(self._free_at, ends)
        return ends


def simulated_a_second(costs: Measured, who: Arrangement, messages: int = 20_000) -> float:
    """Messages a second once the beginning is over, with everybody waiting for their turn.

    Each step takes a time of its own around what it takes on average (exponentially distributed). The same numbers
    come out each time.
    """
    chance = random.Random(17)
    workers = [_Line(1, costs.sender_seconds, chance) for _ in range(who.workers)]
    database = _Line(who.database_processors, costs.database_seconds, chance)
    relay = _Line(1, 1 / who.relay_per_second, chance)
    order = count()
    # (when, number, worker, station): 0 is the worker, 1 the database, 2 the relay, 3 the way back.
    events = [(0.0, next(order), number % who.workers, 0) for number in range(who.out)]
    heapq.heapify(events)
    settled, began, now = 0, 0.0, 0.0
    while settled < messages:
        now, _number, worker, station = heapq.heappop(events)
        match station:
            case 0:
                then = workers[worker].leave(now)
            case 1:
                then = database.leave(now)
            case 2:
                then = relay.leave(now)
            case _:
                then = now + who.answer_seconds * chance.expovariate(1.0)
                settled += 1
                if settled == messages // 4:
                    began = now
        heapq.heappush(events, (then, next(order), worker, (station + 1) % 4))
    return (messages - messages // 4) / (now - began)


# The page's tables

SIZES = tuple(10**power for power in range(3, 9))
WITHIN_SECONDS = 3_600
#: A delivery of each reader is kept for the three newest issues; older ones are totals.
ISSUES_KEPT = 3
PACES = (50, 500)


def costs_table() -> Iterator[str]:
    """What one issue costs, by its readers."""
    yield "| readers | database, SQLite | database, PostgreSQL | bytes sent | processor, SQLite | at 50/s | at 500/s |"
    yield "|---|---|---|---|---|---|---|"
    for readers in SIZES:
        sizes = [readers * (each.subscriber_bytes + ISSUES_KEPT * each.delivery_bytes) for each in (SQLITE, POSTGRESQL)]
        cells = [
            f"{readers:,}", *map(_bytes, sizes), _bytes(readers * MESSAGE_BYTES),
            _duration(readers * SQLITE.sender_seconds), *(_duration(readers / pace) for pace in PACES),
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def arrangements() -> Iterator[tuple[str, Measured, Arrangement]]:
    """What is played: one machine near and far, then more and more workers on PostgreSQL."""
    yield "one worker, SQLite, relay beside it", SQLITE, Arrangement(1, 16, 0.001, 1)
    yield "the same, relay 20 ms away", SQLITE, Arrangement(1, 16, 0.020, 1)
    yield "64 connections, 20 ms away", SQLITE, Arrangement(1, 64, 0.020, 1)
    for workers in (1, 2, 4, 8, 16):
        yield f"{workers} × 64 connections, PostgreSQL on 4 processors", POSTGRESQL, Arrangement(workers, 64, 0.020, 4)
    yield "4 × 64, relay allows 500 a second", POSTGRESQL, Arrangement(4, 64, 0.020, 4, 500)


def rates_table() -> Iterator[str]:
    """What some arrangements send, on paper and as played."""
    yield "| who sends | on paper, a second | as played | of paper | the limit is | a million takes |"
    yield "|---|---|---|---|---|---|"
    for name, costs, who in arrangements():
        most, limit = most_a_second(costs, who)
        played = simulated_a_second(costs, who)
        yield f"| {name} | {most:,.0f} | {played:,.0f} | {played / most:.2f} | {limit} | {_duration(1e6 / played)} |"


def within_table() -> Iterator[str]:
    """How much of everything sends an issue within an hour."""
    yield "| readers, within an hour | a second | workers | connections at 20 ms | database processors | network |"
    yield "|---|---|---|---|---|---|"
    for readers in SIZES:
        rate = readers / WITHIN_SECONDS
        # No processor is planned for more than two thirds of its time.
        workers, processors = (
            max(1, round(rate * seconds * 1.5 + 0.5))
            for seconds in (POSTGRESQL.sender_seconds, POSTGRESQL.database_seconds)
        )
        connections = max(1, round(rate * 0.020 * 1.5 + 0.5))
        network = f"{rate * MESSAGE_BYTES * 8 / 1e6:,.1f} Mbit/s"
        yield f"| {readers:,} | {rate:,.1f} | {workers} | {connections:,} | {processors} | {network} |"


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:,.3g} TB"


def _duration(seconds: float) -> str:
    for unit, length in (("s", 60), ("min", 60), ("h", 48)):
        if seconds < length:
            return f"{seconds:.2g} {unit}" if seconds < 10 else f"{seconds:.0f} {unit}"
        seconds /= length if unit != "h" else 24
    return f"{seconds:.1f} days"


def tables() -> str:
    """All three, as they stand on the page."""
    return "\n\n".join("\n".join(each) for each in (costs_table(), rates_table(), within_table()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--measure", type=int, metavar="READERS", help="measure the constants, with so many readers")
    options = parser.parse_args()
    if options.measure is None:
        print(tables())
        return
    from tests.bench.costs import measure

    for measured in measure(options.measure):
        print(measured)


if __name__ == "__main__":
    main()
