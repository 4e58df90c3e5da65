"""A passphrase over a stream: read by whoever knows it, and changed by nobody unseen.

    magic · log2 N (1 byte) · r (1) · p (1) · salt (16) · nonce prefix (7) · pieces

The key is scrypt's (RFC 7914) of the passphrase. A piece is 64 KiB under AES-256-GCM with 16 bytes of tag; its nonce is
the prefix, its number (4 bytes), and whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway
and Vizár, 2015). So pieces that are left out, put elsewhere or cut off at the end are noticed, and what is in front of
the pieces is bound to each of them. The first piece is empty: it tells a wrong passphrase from damage.
"""

import secrets
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ..errors import Refused
from .streams import CUT_SHORT, DAMAGED, Readable, Writable

MAGIC = b"newsletter backup, encrypted, 1\n"
_HEAD = struct.Struct(">BBB16s7s")
_PIECE = 64 * 1024
_TAG = 16
#: 128 MB and about half a second for each guess.
_LOG_N, _R, _P = 17, 8, 1
#: What a stranger's file may ask of this machine at most.
_MOST_LOG_N, _MOST_R, _MOST_P = 20, 8, 4
WRONG = "cannot be opened: the passphrase is wrong, or the beginning of the file was changed"


class Sealing:
    """Write to `target` under a passphrase. `close` writes the last piece, without which nothing can be read."""

    def __init__(self, target: Writable, passphrase: str) -> None:
        parameters = _HEAD.pack(_LOG_N, _R, _P, secrets.token_bytes(16), secrets.token_bytes(7))
        self._target, self._rest, self._pieces = target, bytearray(), _Pieces(passphrase, parameters)
        target.write(MAGIC + parameters + self._pieces.seal(b"", last=False))

    def write(self, octets: bytes) -> None:
        self._rest += octets
        # One byte more than a piece: what is left is the last piece, and never empty by accident.
        while len(self._rest) > _PIECE:
            self._target.write(self._pieces.seal(bytes(self._rest[:_PIECE]), last=False))
            del self._rest[:_PIECE]

    def close(self) -> None:
        self._target.write(self._pieces.seal(bytes(self._rest), last=True))


class Opening:
    """Read what `Sealing` wrote; `source` stands behind the magic.

    Raises Refused, in words that follow a file's name.
    """

    def __init__(self, source: Readable, passphrase: str) -> None:
        parameters = source.read(_HEAD.size)
        if len(parameters) < _HEAD.size:
            raise Refused(CUT_SHORT)
        log_n, r, p, _salt, _prefix = _HEAD.unpack(parameters)
        if not (10 <= log_n <= _MOST_LOG_N and 1 <= r <= _MOST_R and 1 <= p <= _MOST_P):
            raise Refused(DAMAGED)
        self._source, self._pieces = source, _Pieces(passphrase, parameters)
        try:
            self._pieces.open(source.read(_TAG), last=False)
        except InvalidTag:
            raise Refused(WRONG) from None
        self._next: bytes = source.read(_PIECE + _TAG)
        if not self._next:
            raise Refused(CUT_SHORT)
        self._open = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._open) < size and self._next:
            self._open_next()
        taken = bytes(self._open[:size])
        del self._open[:size]
        return taken

    def _open_next(self) -> None:
        piece, self._next = self._next, self._source.read(_PIECE + _TAG)
        try:
            self._open += self._pieces.open(piece, last=not self._next)
        except InvalidTag:
            raise Refused(DAMAGED if self._next else "is damaged, or its end is missing") from None


class _Pieces:
    """Seals or opens one piece after the other."""

    def __init__(self, passphrase: str, parameters: bytes) -> None:
        log_n, r, p, salt, prefix = _HEAD.unpack(parameters)
        key = Scrypt(salt=salt, length=32, n=1 << log_n, r=r, p=p).derive(passphrase.encode())
        self._cipher, self._before, self._number = AESGCM(key), MAGIC + parameters, 0
        self._prefix: bytes = prefix

    def seal(self, piece: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(last), piece, self._before)

    def open(self, piece: bytes, *, last: bool) -> bytes:
        return self._cipher.decrypt(self._nonce(last), piece, self._before)

    def _nonce(self, last: bool) -> bytes:
        nonce = self._prefix + self._number.to_bytes(4, "big") + bytes([last])
        self._number += 1
        return nonce
