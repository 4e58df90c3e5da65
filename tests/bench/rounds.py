"""Rounds of `newsletter bench send` and of Postfix's smtp-source, one after the other on one sink.

Interleaved, because a machine that others use too is now fast and now slow: only what ran side by side compares.
The product runs in a process of its own each time, as an operator would run it.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.postfix import HOST, PostfixTools

_SESSIONS = 16
_LENGTH = 31_000
_FEW = 10_000


@dataclass(frozen=True)
class Round:
    """One round: what smtp-source reached (messages a second), and what the product printed, by database."""

    source: float
    ours: Mapping[str, dict[str, Any]]

    def ratio(self, database: str) -> float:
        """Ours to smtp-source's."""
        return float(self.ours[database]["messages_per_second"]) / self.source

    def cpu(self, database: str) -> float:
        """Seconds of the product's own CPU for a thousand messages."""
        return _processor_seconds(self.ours[database])


def play(tools: PostfixTools, databases: Mapping[str, str | None], recipients: int, rounds: int = 1) -> list[Round]:
    """`rounds` of them. `databases` holds a URL by name; None is SQLite in the bench's own folder."""
    played = []
    with tools.sink() as port:
        for _ in range(rounds):
            source = tools.source_rate(port, messages=recipients, sessions=_SESSIONS, length=_LENGTH)
            ours = {name: bench_send(port, recipients, url) for name, url in databases.items()}
            played.append(Round(source, ours))
    return played


def play_from_afar(milliseconds: float, recipients: int, connections: int) -> list[str]:
    """The same on SQLite to a server that answers so much later, with PIPELINING and without: a line each."""
    lines = []
    for way, words in (("PIPELINING", ()), ("one command at a time", ("--one-by-one",))):
        command = [sys.executable, "-m", "tests.bench.slow_sink", str(milliseconds), *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sink:
            assert sink.stdout is not None
            try:
                ours = bench_send(int(sink.stdout.readline()), recipients, None, connections)
            finally:
                sink.terminate()
        rate = ours["messages_per_second"]
        lines.append(
            f"{milliseconds:g} ms, {connections} connections, {way}: {rate:.0f} messages a second, "
            f"{rate / connections:.1f} a connection"
        )
    return lines


def play_and_grow(tools: PostfixTools, many: int) -> list[str]:
    """Ten thousand, `many`, and ten thousand again on SQLite: a line each, and what a message of many costs beside."""
    with tools.sink() as port:
        first, large, last = (bench_send(port, number, None) for number in (_FEW, many, _FEW))
    lines = []
    for ours in (first, large, last):
        lines.append(
            f"{ours['recipients']:,} recipients: {ours['messages_per_second']:.0f} messages a second, "
            f"{_processor_seconds(ours):.3f} s of CPU for 1,000, peak {ours['peak_rss_bytes'] / 1e6:.0f} MB, "
            f"frozen in {ours['freeze_seconds']:.2f} s, first message after {ours['seconds_to_first_message']:.2f} s"
        )
    time = large["seconds"] / many * _FEW * 2 / (first["seconds"] + last["seconds"])
    processor = _processor_seconds(large) * 2 / (_processor_seconds(first) + _processor_seconds(last))
    return [*lines, f"A message of the many costs {time:.2f} of the time and {processor:.2f} of the CPU"]


def bench_send(port: int, recipients: int, database: str | None, connections: int = _SESSIONS) -> dict[str, Any]:
    """What `newsletter bench send --json` prints. Raises AssertionError, with its words, when it fails."""
    command = [sys.executable, "-m", "newsletter.cli", "bench", "send", "--json"]
    command += ["--recipients", str(recipients), "--relay", f"smtp://{HOST}:{port}"]
    command += ["--connections", str(connections)]
    command += ["--database", database] if database else []
    done = subprocess.run(command, capture_output=True, text=True, env=_environment())
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def table(played: list[Round]) -> str:
    """The rounds' medians, one line a database, for people to read."""
    source = statistics.median(each.source for each in played)
    lines = [f"smtp-source ({_SESSIONS} sessions kept, {_LENGTH} bytes): {source:.0f} messages a second"]
    for name in played[0].ours:
        rate = statistics.median(each.ours[name]["messages_per_second"] for each in played)
        ratios = sorted(each.ratio(name) for each in played)
        peak = max(each.ours[name]["peak_rss_bytes"] for each in played) / 1e6
        cpu = statistics.median(each.cpu(name) for each in played)
        lines.append(
            f"{name}: {rate:.0f} messages a second, {statistics.median(ratios):.2f} of smtp-source "
            f"[{ratios[0]:.2f} to {ratios[-1]:.2f}], {cpu:.3f} s of CPU for 1,000, peak {peak:.0f} MB"
        )
    return "\n".join(lines)


def _processor_seconds(ours: dict[str, Any]) -> float:
    """Of the product's own, for a thousand messages."""
    return float(ours["cpu_seconds"]) / float(ours["accepted"]) * 1000


def _environment() -> dict[str, str]:
    """Ours, without what would configure an installation: a bench must need none."""
    return {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
