"""gzip (RFC 1952), such as `tar xzf` reads, in which nothing that says something can be changed unseen.

Its head is the same in every file (no name, no time), so that a changed one is noticed; the rest is under its check
sum, but for the few bits that fill up the last byte before it.
"""

import struct
import zlib

from ..errors import Refused
from .streams import CUT_SHORT, DAMAGED, Readable, Writable

HEAD = bytes.fromhex("1f8b08000000000000ff")
_TAIL = struct.Struct("<LL")
_PIECE = 64 * 1024


class Squeezing:
    """Write to `target`, compressed. `close` ends the stream."""

    def __init__(self, target: Writable) -> None:
        self._target, self._deflate = target, zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._sum = self._size = 0
        target.write(HEAD)

    def write(self, octets: bytes) -> None:
        self._sum, self._size = zlib.crc32(octets, self._sum), self._size + len(octets)
        if squeezed := self._deflate.compress(octets):
            self._target.write(squeezed)

    def close(self) -> None:
        self._target.write(self._deflate.flush() + _TAIL.pack(self._sum, self._size & 0xFFFFFFFF))


class Unsqueezing:
    """Read what `Squeezing` wrote; `source` stands behind the head. Never holds more than was asked for.

    Raises Refused, in words that follow a file's name.
    """

    def __init__(self, source: Readable) -> None:
        self._source, self._inflate = source, zlib.decompressobj(-zlib.MAX_WBITS)
        self._sum = self._size = 0

    def read(self, size: int) -> bytes:
        pieces = []
        while size and (piece := self._some(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def finish(self) -> None:
        """See that nothing is left, that the check sum fits, and that nothing stands behind it."""
        if self._some(1):
            raise Refused(DAMAGED)
        tail = self._inflate.unused_data
        tail += self._source.read(max(_TAIL.size + 1 - len(tail), 0))
        if len(tail) < _TAIL.size:
            raise Refused(CUT_SHORT)
        if tail != _TAIL.pack(self._sum, self._size & 0xFFFFFFFF) or self._source.read(1):
            raise Refused(DAMAGED)

    def _some(self, most: int) -> bytes:
        while not self._inflate.eof:
            squeezed = self._inflate.unconsumed_tail or self._source.read(_PIECE)
            try:
                piece = self._inflate.decompress(squeezed, most)
            except zlib.error:
                raise Refused(DAMAGED) from None
            if piece:
                self._sum, self._size = zlib.crc32(piece, self._sum), self._size + len(piece)
                return piece
            if not squeezed and not self._inflate.eof:
                raise Refused(CUT_SHORT)
        return b""
