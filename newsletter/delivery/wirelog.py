"""What went over the wire, kept beside the database: 16 bytes before a message's final dot, 16 after its reply.

The log is written by one run and read by whoever finds the run dead. It survives the death of the process (the
bytes are with the system as soon as write() returns), not the loss of the machine: it is not flushed to disk.

    delivery (8 bytes) · attempt (2) · phase (1) · verdict (1) · reply code (2) · check sum (2)
"""

import os
import struct
from collections.abc import Container
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from zlib import crc32

_BODY = struct.Struct(">QHBBH")
_CHECK = struct.Struct(">H")
RECORD_LENGTH = _BODY.size + _CHECK.size
_BLOCK = 4096 * RECORD_LENGTH


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
    """The log of one run, open for adding. Safe to use from one thread."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def started(self, delivery: int, attempt: int) -> None:
        """The final dot is about to leave. Raises OSError: then it must not."""
        self._add(delivery, attempt, Phase.STARTED, Verdict.NONE, 0)

    def answered(self, delivery: int, attempt: int, verdict: Verdict, code: int = 0) -> None:
        """What came of it. Raises OSError where it cannot be written down."""
        self._add(delivery, attempt, Phase.ANSWERED, verdict, code if 0 <= code <= 999 else 0)

    def close(self) -> None:
        os.close(self._descriptor)

    def _add(self, delivery: int, attempt: int, phase: int, verdict: int, code: int) -> None:
        body = _BODY.pack(delivery, attempt & 0xFFFF, phase, verdict, code)
        octets = body + _CHECK.pack(crc32(body) & 0xFFFF)
        written = os.write(self._descriptor, octets)
        if written != RECORD_LENGTH:
            # A disk that is full took a part. Take it back: the next record must begin where a record begins.
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
            raise OSError("The wire log could not be written: is the disk full?")


def last_records(path: Path, of: Container[int]) -> dict[int, Record]:
    """The last record of each delivery in `of` that the log at `path` knows.

    A record cut off at the end (the process died within it) counts as not written. Raises OSError when the log
    is not there, WireLogDamaged when it cannot be believed.
    """
    found: dict[int, Record] = {}
    with path.open("rb") as log:
        # Block by block: the log of a run to a million is of 32 megabytes.
        while block := log.read(_BLOCK):
            for start in range(0, len(block) - RECORD_LENGTH + 1, RECORD_LENGTH):
                record = _from_bytes(block[start : start + RECORD_LENGTH])
                if record.delivery in of:
                    found[record.delivery] = record
    return found


def _from_bytes(octets: bytes) -> Record:
    body = octets[: _BODY.size]
    if _CHECK.pack(crc32(body) & 0xFFFF) != octets[_BODY.size :]:
        raise WireLogDamaged("A record of the wire log fails its check sum")
    delivery, attempt, phase, verdict, code = _BODY.unpack(body)
    return Record(delivery, attempt, Phase(phase), Verdict(verdict), code)
