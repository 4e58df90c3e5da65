"""The mail server and the workers of a test that kills: processes, each on its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from newsletter.config import Settings
from tests.faults.conftest import PATIENCE_SECONDS, worker_environment


class Sink:
    """The slow mail server, a process of its own; its record is a file. `slowest` as in `slow_sink`, in seconds."""

    def __init__(self, folder: Path, slowest: float) -> None:
        self._record = folder / "recipients"
        words = [sys.executable, "-m", "tests.faults.slow_sink", str(self._record), str(slowest)]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"smtp://127.0.0.1:{int(self._process.stdout.readline())}"

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
        return self._record.read_bytes()[after:].decode().splitlines()


class Nursery:
    """Starts processes, and knows how each of them ended. `alive` are the workers that nobody has ended yet."""

    def __init__(self, settings: Settings, sink: Sink, connections: int) -> None:
        self._log = settings.data_dir / "workers.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery"],
                env=worker_environment(settings, sink.url, connections),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.alive: list[int] = []
        #: Process ids and how they ended: minus a signal, or an exit status.
        self.ended: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.alive:
            os.kill(pid, signal.SIGKILL)
        self._process.communicate()

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
        return int(self._ask(" ".join(words)))

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.wait_for_end(pid)

    def terminate(self, pid: int) -> None:
        os.kill(pid, signal.SIGTERM)

    def wait_for_end(self, pid: int) -> int:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while pid not in self.ended:
            assert time.monotonic() < deadline, f"Worker {pid} does not end:\n{self.log}"
            self._reap()
            time.sleep(0.001)
        return self.ended[pid]

    def nobody_fell(self) -> None:
        """Those we did not end are alive."""
        self._reap()
        assert not [pid for pid in self.alive if pid in self.ended], f"A worker ended by itself:\n{self.log}"

    def _reap(self) -> None:
        for each in self._ask("reap").split():
            pid, status = each.split(":")
            self.ended[int(pid)] = int(status)

    def _ask(self, word: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()
