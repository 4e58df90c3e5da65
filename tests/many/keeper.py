"""Processes that are started again whenever they end, as an init system does it."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.processes import Forker

#: As systemd's RestartSec might be.
_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Place:
    """Where stations are: who forks them, what they are told, and where what they say is written."""

    forker: Forker
    environment: dict[str, str]
    log: Path


@dataclass
class Station:
    """One of our commands. `words` start it; `died` and `back` are moments of the monotonic clock."""

    name: str
    words: tuple[str, ...]
    place: Place
    pid: int = 0
    again_at: float = 0.0
    died: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)


class Keeper:
    """Keeps stations running, in turn at each of the places. `look` has to be called often, from one thread."""

    def __init__(self, places: list[Place]) -> None:
        self._places = places
        self.stations: dict[str, Station] = {}
        #: Ends that nobody asked for, with what ended and how.
        self.falls: list[str] = []

    @property
    def log(self) -> str:
        return "".join(place.log.read_text()[-6000:] for place in self._places if place.log.exists())

    def keep(self, name: str, number: int, *words: str) -> None:
        """Start it, the `number`-th of its kind, and from now on again."""
        self.stations[name] = Station(name, words, self._places[number % len(self._places)])
        self._start(self.stations[name])

    def look(self) -> None:
        """Take note of who has ended, and start again whoever's moment has come."""
        self._reap()
        for station in self.stations.values():
            ended = station.place.forker.ended
            if station.pid and station.pid in ended:
                status = ended[station.pid]
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
        alive = [station for station in self.stations.values() if station.pid]
        for number, patience in ((signal.SIGTERM, 35.0), (signal.SIGKILL, 5.0)):
            for station in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(station.pid, number)
            deadline = time.monotonic() + patience
            while alive and time.monotonic() < deadline:
                self._reap()
                alive = [station for station in alive if station.pid not in station.place.forker.ended]
                time.sleep(0.05)

    def returns(self) -> list[float]:
        """The moments at which something was back."""
        return sorted(moment for station in self.stations.values() for moment in station.back)

    def _start(self, station: Station) -> None:
        place = station.place
        station.pid = place.forker.run(station.words, place.environment, place.log)

    def _reap(self) -> None:
        for place in self._places:
            place.forker.reap()

    def _ended(self, station: Station) -> None:
        station.pid, station.again_at = 0, time.monotonic() + _AGAIN_SECONDS
        station.died.append(time.monotonic())
