"""Keeping a few processes of our own running: start, watch, start again, stop together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import click

#: A part that dies sooner than this after its start died quickly; so many times in a row, and it is given up.
QUICK_SECONDS = 10.0
MOST_QUICK_DEATHS = 5
#: A worker takes up to 30 seconds to bring what is in the air to an end.
STOP_SECONDS = 35.0
_LOOK_EVERY_SECONDS = 0.1


@dataclass
class Part:
    """One process: its name, the words of our own command line that start it, the files it inherits."""

    name: str
    arguments: Sequence[str]
    inherits: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    quick_deaths: int = 0
    environment: Mapping[str, str] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Begin it in a session of its own: Ctrl-C reaches us alone, and we tell it.

        Its standard input ends when we do, however we end; `follow_parent` in the part sees that.
        """
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 (our own words)
            [sys.executable, "-m", "newsletter.cli", *self.arguments],
            stdin=subprocess.PIPE,
            pass_fds=tuple(self.inherits),
            start_new_session=True,
            env=self.environment,
        )


class Supervisor:
    """Runs the parts until it is told to stop, or one cannot be kept alive."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._stop = threading.Event()

    def run(self) -> int:
        """Blocks. Returns the exit status: 0 after SIGTERM or Ctrl-C, 1 when a part was given up."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        for part in self._parts:
            part.start()
        try:
            given_up = self._watch()
        finally:
            self._stop_all()
        if given_up is None:
            return 0
        click.echo(
            f"The {given_up.name} ended {MOST_QUICK_DEATHS} times within seconds of its start, so everything was "
            "stopped. What it said above tells why.",
            err=True,
        )
        return 1

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _watch(self) -> Part | None:
        while not self._stop.wait(_LOOK_EVERY_SECONDS):
            for part in self._parts:
                if not self._keep_alive(part):
                    return part
        return None

    def _keep_alive(self, part: Part) -> bool:
        """Start a part again that died, after a moment that grows. False when it is to be given up."""
        now = time.monotonic()
        if part.process is None:
            if now >= part.start_again_at:
                part.start()
            return True
        status = part.process.poll()
        if status is None:
            return True
        _close(part)
        part.quick_deaths = part.quick_deaths + 1 if now - part.started_at < QUICK_SECONDS else 1
        if part.quick_deaths >= MOST_QUICK_DEATHS:
            return False
        part.start_again_at = now + 0.25 * 2**part.quick_deaths
        click.echo(f"The {part.name} ended (exit status {status}); it is started again.", err=True)
        return True

    def _stop_all(self) -> None:
        running = [part for part in self._parts if part.process is not None]
        for part in running:
            if part.process is not None and part.process.poll() is None:
                part.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for part in running:
            process = part.process
            if process is None:
                continue
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(part)


def _close(part: Part) -> None:
    if part.process is not None and part.process.stdin is not None:
        part.process.stdin.close()
    part.process = None


def follow_parent() -> None:
    """In a part: leave, as if by SIGTERM, when the supervisor is gone."""

    def wait_for_the_end() -> None:
        # Without sys.stdin, whose lock a thread that waits would still hold when the interpreter shuts down.
        while os.read(0, 4096):
            pass
        # To the process, not to this thread: it has to wake the main one out of its waiting.
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_the_end, name="follow-parent", daemon=True).start()
