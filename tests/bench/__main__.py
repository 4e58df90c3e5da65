"""The long form: rounds of 20,000 on SQLite and PostgreSQL beside smtp-source, with medians and ratios.

    NEWSLETTER_TEST_POSTFIX=/folder python -m tests.bench [--recipients 20000] [--rounds 3] [--postgres URL]
    python -m tests.bench --delay 20 [--connections 64]
    python -m tests.bench --growth 1000000
    python -m tests.bench --minute 100000
    python -m tests.bench --subscribers 1000000 [--sqlite-only]
    python -m tests.bench --sign-ups 150

Without a URL a PostgreSQL server of its own is started, one that does flush what it commits. With a delay it is another
bench: SQLite alone, to a server of our own that answers so many milliseconds later, as one far away does. With a growth
it is a third: ten thousand, so many, and ten thousand again, on SQLite alone. With a minute: how long after the moment
an issue is due a worker's first message leaves, to so many. With subscribers: how fast ten thousand, and so many, are
brought in from a file, found as somebody types, and exported, on both databases. With sign-ups: so many a second, by
real HTTP, beside nobody, ten thousand and a million.
"""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.finding import find_among
from tests.bench.imports import bring_in
from tests.bench.minute import wait_for_the_minute
from tests.bench.rounds import play, play_and_grow, play_from_afar, table
from tests.bench.sign_ups import sign_up
from tests.postfix import find_postfix
from tests.postgres import running_cluster

_FEW, _MANY = 10_000, 1_000_000
_HALF_A_MINUTE = 30.0


@contextmanager
def _databases(options: argparse.Namespace) -> Iterator[dict[str, str | None]]:
    """The databases to run on, by name. A server of our own is gone afterwards."""
    if options.sqlite_only:
        yield {"SQLite": None}
    elif options.postgres:
        yield {"SQLite": None, "PostgreSQL": options.postgres}
    else:
        with running_cluster(durable=True) as cluster:
            yield {"SQLite": None, "PostgreSQL": cluster.url("postgres")}


def _of_subscribers(options: argparse.Namespace) -> None:
    """Print a line for each figure, of few and of many."""
    if options.sign_ups is not None:
        for among in (0, _FEW, _MANY):
            print(sign_up(among, options.sign_ups, _HALF_A_MINUTE))
        return
    with _databases(options) as databases:
        for name, url in databases.items():
            for rows in (_FEW, options.subscribers):
                print(f"{name}, {bring_in(rows, url)}")
                print(*(f"{name}, {line}" for line in find_among(rows, url)), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", metavar="URL", help="a database to make a schema in")
    parser.add_argument("--sqlite-only", action="store_true")
    parser.add_argument("--json", action="store_true", help="print every round, too")
    parser.add_argument("--delay", type=float, metavar="MS", help="a server that answers so much later")
    parser.add_argument("--connections", type=int, default=64, help="to that server")
    parser.add_argument("--growth", type=int, metavar="RECIPIENTS", help="beside ten thousand of them")
    parser.add_argument("--minute", type=int, metavar="RECIPIENTS", help="from the minute to the first message")
    parser.add_argument("--subscribers", type=int, metavar="NUMBER", help="brought in, found and exported")
    parser.add_argument("--sign-ups", type=int, metavar="NUMBER", help="how many a second, for half a minute")
    options = parser.parse_args()
    if options.subscribers is not None or options.sign_ups is not None:
        _of_subscribers(options)
        return
    if options.delay is not None:
        print(*play_from_afar(options.delay, options.recipients, options.connections), sep="\n")
        return
    tools = find_postfix()
    if tools is None:
        parser.error("Postfix is not installed, and NEWSLETTER_TEST_POSTFIX names no folder with it")
    if options.minute is not None:
        seconds = wait_for_the_minute(tools, options.minute)
        print(f"{options.minute:,} recipients: the first message left {seconds:.1f} s after the minute")
        return
    if options.growth is not None:
        print(*play_and_grow(tools, options.growth), sep="\n")
        return
    with _databases(options) as databases:
        played = play(tools, databases, options.recipients, options.rounds)
    if options.json:
        print(json.dumps([{"source": each.source, **each.ours} for each in played], indent=2))
    print(table(played))


if __name__ == "__main__":
    main()
