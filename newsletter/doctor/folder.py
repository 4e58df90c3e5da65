"""The data directory: who may read it, how much room is left, whether a worker listens there."""

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from ..config import Settings
from ..delivery.run.engine import LEAST_FREE_BYTES
from ..operations.judging import LITTLE_ROOM_BYTES
from ..work.doorbell import Doorbell
from .findings import Area, Notes


def examine_folder(settings: Settings) -> Notes:
    """Who may read the data directory, how much room is left, whether a worker listens there."""
    notes = Notes(Area.DATA)
    folder = settings.data_dir
    kept = [*_all_in(folder), *_database_elsewhere(settings)]
    open_to_others = [path for path in kept if _others_may(path)]
    if _others_may(folder):
        notes.wrong(f"Other users of this machine can look into the data directory {folder}.", f"chmod 700 “{folder}”")
    if open_to_others:
        shown = ", ".join(_shown(path, folder) for path in open_to_others[:5])
        more = f" and {len(open_to_others) - 5} more" if len(open_to_others) > 5 else ""
        say = notes.wrong if _others_may(folder) else notes.warning
        roots = {folder if path.is_relative_to(folder) else path for path in open_to_others}
        mend = " ".join(f"“{root}”" for root in sorted(roots))
        say(f"The permissions let others read or change {shown}{more}.", f"chmod -R go-rwx {mend}")
    if not open_to_others and not _others_may(folder):
        notes.good(f"The data directory {folder} is its owner's alone.")
    _room(folder, notes)
    if settings.runner == "threads":
        _worker(folder, notes)
    return notes


def _all_in(folder: Path) -> Iterator[Path]:
    """What is in the folder and one level below; a file may go while we look."""
    for path in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        if not path.is_symlink():
            yield path


def _database_elsewhere(settings: Settings) -> list[Path]:
    """SQLite's files where they are not in the data directory; the log and the index beside the database too."""
    file = Path(make_url(settings.database_url).database or "") if settings.sqlite else None
    if file is None or file.resolve().is_relative_to(settings.data_dir):
        return []
    return [path for end in ("", "-wal", "-shm") if (path := file.with_name(file.name + end)).exists()]


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _others_may(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:
        return False


def _room(folder: Path, notes: Notes) -> None:
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        notes.wrong(f"The disk is full but for {_size(free)}: nothing is sent, since it could not be recorded.",
                    "Make room on the disk of the data directory.")  # fmt: skip
    elif free < LITTLE_ROOM_BYTES:
        notes.warning(f"The disk of the data directory has {_size(free)} left.", "Make room before the next issue.")
    else:
        notes.good(f"The disk of the data directory has {_size(free)} left.")


def _size(octets: int) -> str:
    return f"{octets / 1e9:.1f} GB" if octets >= 1e9 else f"{octets / 1e6:.0f} MB"


def _worker(folder: Path, notes: Notes) -> None:
    """Whether somebody has the doorbell open. Nothing is rung: a datagram socket only says if there is a listener."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        try:
            bell.connect(os.fspath(Doorbell(folder).path))
        except OSError:
            notes.warning(
                "No worker is running on this machine with this data directory: nothing is sent by itself.",
                "Start newsletter serve, or newsletter worker.",
            )
        else:
            notes.good("A worker is running on this machine.")
