"""The mail server and the workers of a test that kills: processes, each on its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Self

from newsletter.config import Settings

#: Long enough for any of these on a busy machine; reaching it is a failure.
PATIENCE_SECONDS = 60.0


def worker_environment(settings: Settings, relay_url: str, connections: int) -> dict[str, str]:
    """What a worker process is told: the settings of the test, and nothing of ours from outside."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")},
        "NEWSLETTER_DATA_DIR": str(settings.data_dir),
        "NEWSLETTER_DATABASE_URL": settings.database_url,
        "NEWSLETTER_RELAY_URL": relay_url,
        "NEWSLETTER_RELAY_CONNECTIONS": str(connections),
        "NEWSLETTER_PUBLIC_URL": settings.public_url,
        "NEWSLETTER_SECRET_KEYS": settings.secret_keys[0],
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }


class Sink:
    """The slow mail server, a process of its own; its record is a file. `slowest` as in `slow_sink`, in seconds."""

    def __init__(self, folder: Path, slowest: float, address: str = "127.0.0.1") -> None:
        self._record = folder / "recipients"
        words = [sys.executable, "-m", "tests.faults.slow_sink", str(self._record), str(slowest), address]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"smtp://{address}:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()

    @property
    def size(self) -> int:
        """The length of the record: it grows with each message."""
        return self._record.stat().st_size

    def recipients(self, after: int) -> list[str]:
        """Who has been written down since the record had this length."""
        return [recipient for _at, recipient in self.arrivals(after)]

    def arrivals(self, after: int) -> list[tuple[float, str]]:
        """The same, each with the moment on the system's monotonic clock."""
        lines = (line.split() for line in self._record.read_bytes()[after:].decode().splitlines())
        return [(float(at), recipient) for at, recipient in lines]


class Forker:
    """The process that forks the others (see `nursery`). One for a whole test run, since it takes seconds to load.

    `through` is a command that runs it, and so all of them, somewhere else: on another host.
    """

    def __init__(self, through: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*through, sys.executable, "-m", "tests.faults.nursery"],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        #: Process ids and how they ended: minus a signal, or an exit status.
        self.ended: dict[int, int] = {}

    def close(self) -> None:
        self._process.communicate()

    def run(self, words: Sequence[str], environment: dict[str, str], log: Path) -> int:
        """Run a `newsletter` command; returns its process id."""
        pid = int(self._ask(json.dumps({"words": words, "environment": environment, "log": str(log)})))
        # The system may use a number again.
        self.ended.pop(pid, None)
        return pid

    def reap(self) -> None:
        """Take note of who has ended."""
        for each in self._ask("").split():
            pid, status = each.split(":")
            self.ended[int(pid)] = int(status)

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@cache
def forker() -> Forker:
    """The one of this test run; `forker().close()` ends it."""
    return Forker()


class Nursery:
    """Starts processes, and knows how each of them ended. `alive` are the workers that nobody has ended yet."""

    def __init__(self, settings: Settings, relay_url: str, connections: int) -> None:
        self._log = settings.data_dir / "workers.log"
        self._log.touch()
        self._environment = worker_environment(settings, relay_url, connections)
        self._forker = forker()
        self.alive: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in list(self.alive):
            with contextlib.suppress(ProcessLookupError):
                self.kill(pid)

    @property
    def log(self) -> str:
        """The last of what the workers said."""
        return self._log.read_text()[-4000:]

    def start(self) -> int:
        """Start a worker; returns its process id."""
        pid = self.run("worker")
        self.alive.append(pid)
        return pid

    def run(self, *words: str) -> int:
        """Run a command; returns its process id."""
        return self._forker.run(words, self._environment, self._log)

    def kill(self, pid: int) -> None:
        """SIGKILL: not a line of ours runs after it."""
        os.kill(pid, signal.SIGKILL)
        self.wait_for_end(pid)

    def terminate(self, pid: int) -> None:
        """SIGTERM, as an init system does."""
        os.kill(pid, signal.SIGTERM)

    def wait_for_end(self, pid: int) -> int:
        """How it ended: an exit status, or minus a signal."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (status := self.status(pid)) is None:
            assert time.monotonic() < deadline, f"Worker {pid} does not end:\n{self.log}"
            time.sleep(0.001)
        return status

    def status(self, pid: int) -> int | None:
        """How it ended; None while it runs."""
        if pid not in self._forker.ended:
            self._forker.reap()
        return self._forker.ended.get(pid)

    def nobody_fell(self) -> None:
        """Those we did not end are alive."""
        assert not [pid for pid in self.alive if self.status(pid) is not None], f"A worker ended:\n{self.log}"
