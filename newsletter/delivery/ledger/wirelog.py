"""What went over the wire, kept beside the database: 16 bytes before a message's final dot, 16 after its reply.

The log is written by one run and read by whoever finds the run dead. It survives the death of the process (the
bytes are the system's as soon as they stand in memory that is mapped from the file), not the loss of the machine: it
is not flushed to disk.

    delivery (8 bytes) · attempt (2) · phase (1) · verdict (1) · reply code (2) · check sum (2)

A log that is being written, or was left by a process that died, ends in zeros: room for the next records is taken in
advance, so that a full disk is an error before the dot and nothing worse. A closed one ends with its last record.
"""

import mmap
import os
import struct
from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import IntEnum
from errno import ENOSPC
from pathlib import Path
from zlib import crc32

_BODY = struct.Struct(">QHBBH")
_CHECK = struct.Struct(">H")
RECORD_LENGTH = _BODY.size + _CHECK.size
_NONE = bytes(RECORD_LENGTH)
_BLOCK = 4096 * RECORD_LENGTH
#: Room is taken for so many bytes at a time: whole pages on every machine.
_ROOM = 64 * 1024


class Phase(IntEnum):
    STARTED = 1
    ANSWERED = 2


class Verdict(IntEnum):
    """What the reply meant for this message; NONE in a record of the start."""

    NONE = 0
    ACCEPTED = 1
    BUSY = 2
    REFUSED = 3
    NOT_TAKEN = 4
    UNSURE = 5


@dataclass(frozen=True, slots=True)
class Record:
    delivery: int
    attempt: int
    phase: Phase
    verdict: Verdict
    code: int


class WireLogDamaged(Exception):
    """The log holds a record that was not written whole: nothing may be concluded from it."""


class WireLog:
    """The log of one run, open for adding; the file at `path` is empty, or not there yet. For use from one thread.

    Mapped, not written to: a system call for each record would give the interpreter's lock away, twice a message.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(self._descriptor).st_size:
            os.close(self._descriptor)
            raise FileExistsError("A wire log is of one run alone")
        self._rooms = 0
        self._room: mmap.mmap | None = None
        self._place = _ROOM

    def started(self, delivery: int, attempt: int) -> None:
        """The final dot is about to leave. Raises OSError: then it must not."""
        self._add(_BODY.pack(delivery, attempt & 0xFFFF, Phase.STARTED, Verdict.NONE, 0))

    def answered(self, delivery: int, attempt: int, verdict: Verdict, code: int = 0) -> None:
        """What came of it. Raises OSError where it cannot be written down."""
        code = code if 0 <= code <= 999 else 0
        self._add(_BODY.pack(delivery, attempt & 0xFFFF, Phase.ANSWERED, verdict, code))

    def close(self) -> None:
        if self._room is not None:
            self._room.close()
            os.ftruncate(self._descriptor, (self._rooms - 1) * _ROOM + self._place)
        os.close(self._descriptor)

    def _add(self, body: bytes) -> None:
        place = self._place
        if place == _ROOM:
            self._take_room()
            place = 0
        # In one go: half a record is what only death in the midst of it can leave.
        self._room[place : place + RECORD_LENGTH] = body + _CHECK.pack(crc32(body) & 0xFFFF)  # type: ignore[index]  # room was taken
        self._place = place + RECORD_LENGTH

    def _take_room(self) -> None:
        """Zeros that are written, not a hole: storing into a hole that the disk cannot fill would end the process."""
        start = self._rooms * _ROOM
        written = os.pwrite(self._descriptor, bytes(_ROOM), start)
        if written != _ROOM:
            os.ftruncate(self._descriptor, start)
            raise OSError(ENOSPC, "No room for the wire log: is the disk full?")
        room = mmap.mmap(self._descriptor, _ROOM, offset=start)
        if self._room is not None:
            self._room.close()
        self._room, self._place = room, 0
        self._rooms += 1


def last_records(path: Path, of: Container[int]) -> dict[int, Record]:
    """The last record of each delivery in `of` that the log at `path` knows.

    A record cut off at the end (the process died within it) counts as not written. Raises OSError when the log
    is not there, WireLogDamaged when it cannot be believed.
    """
    try:
        return _last_records(path, of)
    except WireLogDamaged:
        # Its run may live, and have written while we read: what was half there is whole at a second look.
        return _last_records(path, of)


def number_of_records(path: Path) -> int:
    """How many records the log at `path` holds. Reads a few of them alone. Raises OSError when it is not there."""
    with path.open("rb", buffering=0) as log:
        least, most = 0, os.fstat(log.fileno()).st_size // RECORD_LENGTH
        while least < most:
            middle = (least + most) // 2
            log.seek(middle * RECORD_LENGTH)
            if log.read(RECORD_LENGTH) == _NONE:
                most = middle
            else:
                least = middle + 1
    return least


def _last_records(path: Path, of: Container[int]) -> dict[int, Record]:
    found: dict[int, Record] = {}
    cut_off = False
    for octets in _pieces(path):
        if octets == _NONE:
            cut_off = True
        elif cut_off:
            raise WireLogDamaged("A wire log goes on behind its end")
        elif (record := _from_bytes(octets)) is None:
            cut_off = True
        elif record.delivery in of:
            found[record.delivery] = record
    return found


def _pieces(path: Path) -> Iterator[bytes]:
    """What is as long as a record, one after the other; what is left at the end of the file is none."""
    with path.open("rb") as log:
        # Block by block: the log of a run to a million is of 32 megabytes.
        while block := log.read(_BLOCK):
            for start in range(0, len(block) - RECORD_LENGTH + 1, RECORD_LENGTH):
                yield block[start : start + RECORD_LENGTH]


def _from_bytes(octets: bytes) -> Record | None:
    """The record; None for one that was cut off, whose last bytes are still zero."""
    body = octets[: _BODY.size]
    if _CHECK.pack(crc32(body) & 0xFFFF) != octets[_BODY.size :]:
        if octets.endswith(b"\0"):
            return None
        raise WireLogDamaged("A record of the wire log fails its check sum")
    delivery, attempt, phase, verdict, code = _BODY.unpack(body)
    return Record(delivery, attempt, Phase(phase), Verdict(verdict), code)
