"""Processes that are started again whenever they end, as an init system does it."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.processes import forker

#: As systemd's RestartSec might be.
_AGAIN_SECONDS = 0.5


@dataclass
class Station:
    """One of our commands. `words` start it; `died` and `back` are moments of the monotonic clock."""

    name: str
    words: tuple[str, ...]
    pid: int = 0
    again_at: float = 0.0
    died: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)


class Keeper:
    """Keeps stations running. `look` has to be called often; all of it from one thread."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._forker = forker()
        self.stations: dict[str, Station] = {}
        #: Ends that nobody asked for, with what ended and how.
        self.falls: list[str] = []

    @property
    def log(self) -> str:
        return self._log.read_text()[-6000:] if self._log.exists() else ""

    def keep(self, name: str, *words: str) -> None:
        """Start it, and from now on again."""
        self.stations[name] = Station(name, words)
        self._start(self.stations[name])

    def look(self) -> None:
        """Take note of who has ended, and start again whoever's moment has come."""
        self._forker.reap()
        for station in self.stations.values():
            if station.pid and station.pid in self._forker.ended:
                status = self._forker.ended[station.pid]
                if status != -signal.SIGKILL:
                    self.falls.append(f"{station.name}: {status}")
                self._ended(station)
            elif not station.pid and time.monotonic() >= station.again_at:
                self._start(station)
                station.back.append(time.monotonic())

    def kill(self, name: str) -> None:
        """SIGKILL: not a line of ours runs after it."""
        station = self.stations[name]
        if station.pid:
            os.kill(station.pid, signal.SIGKILL)

    def kill_child(self, name: str) -> None:
        """SIGKILL to one of the processes that it forked; it has to notice by itself."""
        pid = self.stations[name].pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)

    def end(self) -> None:
        """SIGTERM to all, SIGKILL to who is still there after half a minute."""
        alive = [station.pid for station in self.stations.values() if station.pid]
        for number, patience in ((signal.SIGTERM, 35.0), (signal.SIGKILL, 5.0)):
            for pid in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline = time.monotonic() + patience
            while alive and time.monotonic() < deadline:
                self._forker.reap()
                alive = [pid for pid in alive if pid not in self._forker.ended]
                time.sleep(0.05)

    def returns(self) -> list[float]:
        """The moments at which something was back."""
        return sorted(moment for station in self.stations.values() for moment in station.back)

    def _start(self, station: Station) -> None:
        station.pid = self._forker.run(station.words, self._environment, self._log)

    def _ended(self, station: Station) -> None:
        station.pid, station.again_at = 0, time.monotonic() + _AGAIN_SECONDS
        station.died.append(time.monotonic())
