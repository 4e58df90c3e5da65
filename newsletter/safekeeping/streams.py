"""What the layers of an archive ask of each other: bytes one after the other, in and out."""

from collections.abc import Callable
from typing import Protocol

#: Told again and again how much is done, and of how much (bytes or rows).
Progress = Callable[[int, int], object]
#: The same, with the name of the stretch of work in front.
Stretches = Callable[[str, int, int], object]

DAMAGED = "is damaged: it is not what was written when the backup was made"
CUT_SHORT = "is cut short: its end is missing"


class Readable(Protocol):
    def read(self, size: int, /) -> bytes:
        """The next `size` bytes; fewer only at the end, none behind it."""


class Writable(Protocol):
    def write(self, octets: bytes, /) -> object:
        """Add these bytes."""
