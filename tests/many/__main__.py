"""The long form: 50,000 recipients and 200 sign-ups, everything killed at least once, figures printed.

    python -m tests.many [--recipients 50000] [--sign-ups 200] [--hosts 2]

Fails where somebody is lost, or has two without being unsure, or a confirmation came later than 10 seconds after
everything was back, or the standby took longer than 15 seconds.
"""

import argparse
import tempfile
from pathlib import Path

from tests.faults.processes import forker
from tests.many.storm import CONNECTIONS, Figures, Plan, installation

LATEST_SECONDS, TAKEOVER_SECONDS = 10.0, 15.0


def what_is_wrong(figures: Figures) -> list[str]:
    """Of what must hold whatever the machine's pace, the sentences that do not."""
    rules = {
        "an accepted message did not arrive": figures.lost == 0,
        "somebody got two": figures.doubled == 0,
        # Who lost sight of the database for longer than its lease has lost what it had in hand.
        "more are unsure than the dead had connections": (
            "host blind" in figures.kills or figures.unsure <= CONNECTIONS * figures.dead_workers
        ),
        "somebody was answered and got no confirmation": figures.unconfirmed == 0,
        "somebody who pressed once got two, without doubt": figures.confirmed_twice == 0,
    }
    return [sentence for sentence, holds in rules.items() if not holds]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.many", description=__doc__)
    parser.add_argument("--recipients", type=int, default=50_000)
    parser.add_argument("--sign-ups", type=int, default=200)
    parser.add_argument("--slowest", type=float, default=0.05, help="seconds, twice for each message")
    parser.add_argument("--hosts", type=int, default=0, help="network namespaces to spread the processes over (root)")
    parser.add_argument("--rings-fail", action="store_true", help="three rings in ten are lost, two come twice")
    parser.add_argument("--blind", type=float, default=0, help="seconds in which one host cannot reach the database")
    options = parser.parse_args()
    plan = Plan(
        options.recipients, options.sign_ups, options.slowest, 600, options.hosts, options.rings_fail, options.blind
    )
    with tempfile.TemporaryDirectory(prefix="newsletter-many-") as folder:
        with installation(Path(folder), plan, durable=True) as (storm, _app):
            figures = storm.run()
        print(*figures.lines(), *storm.keeper.falls, sep="\n")
    forker().close()
    wrong = what_is_wrong(figures)
    if figures.latest_after_return > LATEST_SECONDS:
        wrong.append("a confirmation came late")
    if any(each > TAKEOVER_SECONDS for each in figures.takeovers):
        wrong.append("the standby took long")
    if wrong:
        raise SystemExit("; ".join(wrong))


if __name__ == "__main__":
    main()
