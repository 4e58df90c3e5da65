"""The archive: a tar file of plain members behind their manifest, compressed, and encrypted under a passphrase if any.

Without a passphrase any machine's `tar xzf` opens it. It is read with far less trust: only the members that the
manifest names, in the order of their names, plain files under names of ours, each as long as it says and with the hash
that it gives.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Refused
from . import manifest as manifests
from .manifest import Manifest
from .sealed import MAGIC, Opening, Sealing
from .squeezed import HEAD, Squeezing, Unsqueezing
from .streams import CUT_SHORT, DAMAGED, Progress, Readable, Writable

_BLOCK = 512
_PIECE = 256 * 1024


class _Counting:
    """How much of the members is done, added up and passed on."""

    def __init__(self, whole: int, on_progress: Progress) -> None:
        self._done, self._whole, self._on_progress = 0, whole, on_progress

    def add(self, octets: int) -> None:
        self._done += octets
        self._on_progress(self._done, self._whole)


def write(target: Writable, manifest: Manifest, folder: Path, passphrase: str | None, on_progress: Progress) -> None:
    """Write the manifest, and the members from `folder`, to `target`."""
    outer = Sealing(target, passphrase) if passphrase is not None else None
    inner = Squeezing(outer or target)
    about, counting = manifest.as_bytes(), _Counting(manifest.size, on_progress)
    inner.write(_head(manifests.NAME, len(about), manifest) + about + _padding(len(about)))
    for name, member in sorted(manifest.members.items()):
        inner.write(_head(name, member.size, manifest))
        with (folder / name).open("rb") as source:
            while piece := source.read(_PIECE):
                inner.write(piece)
                counting.add(len(piece))
        inner.write(_padding(member.size))
    inner.write(bytes(2 * _BLOCK))
    inner.close()
    if outer is not None:
        outer.close()


def look_into(path: Path, passphrase: str | None, on_progress: Progress) -> Manifest:
    """Read the whole archive, compare every hash, and write nothing. Raises Refused in a sentence about the file."""
    return _go_through(path, passphrase, None, on_progress)


def unpack(path: Path, passphrase: str | None, folder: Path, on_progress: Progress) -> Manifest:
    """As `look_into`, and write the members below `folder`, each for its owner alone and on the disk."""
    return _go_through(path, passphrase, folder, on_progress)


def _go_through(path: Path, passphrase: str | None, folder: Path | None, on_progress: Progress) -> Manifest:
    try:
        with path.open("rb") as source:
            inner = _layers(source, passphrase)
            found = _manifest(inner)
            counting = _Counting(found.size, on_progress)
            for name in sorted(found.members):
                _member(inner, found, name, folder / name if folder else None, counting)
            if inner.read(2 * _BLOCK + 1) != bytes(2 * _BLOCK):
                raise Refused(DAMAGED)
            inner.finish()
            return found
    except Refused as refusal:
        raise Refused(f"{path} {refusal}. Nothing was written.") from None
    except OSError as error:
        raise Refused(f"{error.filename or path} cannot be used ({error.strerror}).") from None


def _layers(source: Readable, passphrase: str | None) -> Unsqueezing:
    begins = source.read(len(HEAD))
    outer = source
    if begins == MAGIC[: len(HEAD)] and source.read(len(MAGIC) - len(HEAD)) == MAGIC[len(HEAD) :]:
        if passphrase is None:
            raise Refused("is encrypted: name the file with its passphrase (--passphrase-file)")
        outer = Opening(source, passphrase)
        begins = outer.read(len(HEAD))
    elif begins == HEAD and passphrase is not None:
        raise Refused(
            "is not encrypted, though a passphrase was given: if it is the one you mean, leave the passphrase out"
        )
    if begins != HEAD:
        raise Refused("is no backup of this program" if outer is source else DAMAGED)
    return Unsqueezing(outer)


def _manifest(source: Unsqueezing) -> Manifest:
    size = _size_of(source, manifests.NAME)
    if size > manifests.LONGEST:
        raise Refused(DAMAGED)
    return Manifest.from_bytes(b"".join(_content(source, size)))


def _member(source: Unsqueezing, manifest: Manifest, name: str, target: Path | None, counting: _Counting) -> None:
    member, summed = manifest.members[name], hashlib.sha256()
    if _size_of(source, name) != member.size:
        raise Refused(DAMAGED)
    with _new_file(target) as write_out:
        for piece in _content(source, member.size):
            summed.update(piece)
            write_out(piece)
            counting.add(len(piece))
    if summed.hexdigest() != member.sha256:
        raise Refused(DAMAGED)


@contextmanager
def _new_file(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    if path is None:
        yield lambda _piece: None
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file.write
        file.flush()
        os.fsync(file.fileno())


def _size_of(source: Unsqueezing, name: str) -> int:
    """Read a header, which must be that of a plain file of this name. Returns how long the file is."""
    try:
        block = source.read(_BLOCK)
        # Of one block alone: headers that say something of the next header are read by nobody here.
        header = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, ValueError):
        raise Refused(CUT_SHORT if len(block) < _BLOCK else DAMAGED) from None
    if header.type != tarfile.REGTYPE or header.name != name or header.size < 0:
        raise Refused(DAMAGED)
    return header.size


def _content(source: Unsqueezing, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = source.read(min(left, _PIECE))
        if not piece:
            raise Refused(CUT_SHORT)
        left -= len(piece)
        yield piece
    if source.read(len(_padding(size))) != _padding(size):
        raise Refused(DAMAGED)


def _head(name: str, size: int, manifest: Manifest) -> bytes:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o600, int(manifest.made_at.timestamp())
    return header.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)
