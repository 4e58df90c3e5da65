"""Making a backup: everything that cannot be made anew, in one file, while the installation runs."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..config import Settings, current_settings
from ..errors import Refused
from . import archive, manifest
from .database_copy import copy_database
from .manifest import Manifest, Member
from .streams import Stretches

_WORK = ".backup-"


@dataclass(frozen=True)
class Made:
    """A backup: where it is, how long, and what it says of itself."""

    path: Path
    size: int
    manifest: Manifest


def back_up(target: Path, passphrase: str | None, now: datetime, on_progress: Stretches) -> Made:
    """Write a backup to `target`; in a folder, under a name made of `now`. It appears there whole or not at all.

    Raises Refused where something is there already, or it cannot be written.
    """
    path = target / f"newsletter-{now.astimezone(UTC):%Y-%m-%d-%H%M%S}.backup" if target.is_dir() else target
    if path.exists() or path.is_symlink():
        raise Refused(f"There is a file {path} already: a backup writes over nothing.")
    try:
        with _work_folder(current_settings().data_dir) as folder:
            made = _gather(folder, now, on_progress)
            with _appearing(path) as file:
                archive.write(file, made, folder, passphrase, partial(on_progress, "Packing"))
        return Made(path, path.stat().st_size, made)
    except OSError as error:
        raise Refused(f"{error.filename or path} cannot be written ({error.strerror}). There is no backup.") from None


def _gather(folder: Path, now: datetime, on_progress: Stretches) -> Manifest:
    """Copy everything to where it stands still, and say what it is."""
    settings = current_settings()
    _require_room(settings)
    copied = copy_database(folder, partial(on_progress, "Copying the database"))
    _keep(folder / manifest.KEYS, ("\n".join(settings.secret_keys) + "\n").encode())
    for name in (manifest.ERASURES, manifest.OBJECTIONS):
        with suppress(FileNotFoundError):
            _keep(folder / name, (settings.data_dir / name).read_bytes())
    for path in settings.data_dir.glob("imports/*/*"):
        if path.name in ("upload", "report.csv"):
            with suppress(FileNotFoundError):
                # Whatever an import leaves is gone when it is done with, and it may be done at this moment.
                _copy(path, folder / path.relative_to(settings.data_dir))
    members = {
        str(path.relative_to(folder)): Member(path.stat().st_size, _hash(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return Manifest(now, __version__, copied.schema, copied.database, copied.rows, members)


def _require_room(settings: Settings) -> None:
    if not settings.sqlite:
        return
    from ..db import db

    size = Path(str(db.engine.url.database)).stat().st_size
    free = shutil.disk_usage(settings.data_dir).free
    if free < 2 * size:
        raise Refused(
            f"There is too little room in {settings.data_dir} for a copy of the database: {size / 1e6:,.0f} MB are"
            f" needed, and as much again must stay free; there are {free / 1e6:,.0f} MB."
        )


@contextmanager
def _work_folder(data_dir: Path) -> Iterator[Path]:
    """A folder to gather in, gone afterwards. One backup at a time; what one that was killed left is cleared away."""
    lock = os.open(data_dir / "backup.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("Another backup is being made at this moment.") from None
        for left in data_dir.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_WORK, dir=data_dir) as folder:
            yield Path(folder)
    finally:
        os.close(lock)


@contextmanager
def _appearing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its name once it is whole and on the disk, and is gone if it is not."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    file = os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _settle_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _settle_folder(folder: Path) -> None:
    """The name, too, is to outlive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _keep(path: Path, octets: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o600)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
