"""Where the files of an import lie: a folder of its own below the data folder, gone when it is no longer needed.

What was uploaded is removed once everybody in it was dealt with; the report, which names those who were not added, 30
days later, and at once if somebody in it asks to be forgotten.
"""

import csv
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ...config import current_settings
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from . import moving_in
from .exporting import csv_line
from .import_cells import Refused

_UPLOAD, _REPORT, _LOCK = "upload", "report.csv", "lock"
_HEADER = ("line", "email", "what", "why")


def folder_of(public_id: uuid.UUID) -> Path:
    """The folder of an import; made when something is put there."""
    return current_settings().data_dir / "imports" / public_id.hex


def keep_upload(public_id: uuid.UUID, upload: IO[bytes]) -> Path:
    """Write an upload to its folder. Raises Invalid for one that is too large; nothing is left of it then."""
    folder = folder_of(public_id)
    folder.mkdir(parents=True, mode=0o700)
    path, most = folder / _UPLOAD, current_settings().import_megabytes
    room = most * 1024 * 1024
    with path.open("wb") as target:
        while piece := upload.read(1024 * 1024):
            room -= len(piece)
            if room < 0:
                break
            target.write(piece)
    if room < 0:
        remove(public_id)
        raise Invalid([Problem("file", _("The file is larger than %(most)d MB. Split it.") % {"most": most})])
    return path


def files_of(public_id: uuid.UUID, known: list[Any]) -> list[Any]:
    """The files that were found in an upload, each with how it is written, where they lie now.

    A restored installation, or another machine, has another data folder; what stood in a ZIP is taken out of it again.
    Raises Invalid where the upload is damaged, OSError where it is gone.
    """
    folder = folder_of(public_id)
    files = [[str(folder / Path(path).name), layout] for path, layout in known]
    if not all(Path(path).exists() for path, _layout in files):
        moving_in.unpack(folder / _UPLOAD, folder)
    return files


def report_of(public_id: uuid.UUID) -> Path:
    """The report: a line for each that was not added."""
    return folder_of(public_id) / _REPORT


def add_to_report(public_id: uuid.UUID, refused: Iterable[Refused], at: int) -> int:
    """Write lines to the report from byte `at` on, and say where it ends now.

    What stands after `at` was written by a run that died before its batch was committed, and is written over.
    """
    path = report_of(public_id)
    path.touch(mode=0o600)
    with path.open("r+b") as file:
        file.truncate(at)
        file.seek(at)
        if at == 0:
            file.write(b"\xef\xbb\xbf" + csv_line(_HEADER).encode())
        for one in refused:
            file.write(csv_line((str(one.line), one.value, one.outcome, one.reason)).encode())
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def first_lines(public_id: uuid.UUID, most: int) -> list[list[str]]:
    """The first lines of the report, without its header: line, email, what, why. None where it is no longer kept."""
    path = report_of(public_id)
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(islice(csv.reader(file), 1, most + 1))


def remove_upload(public_id: uuid.UUID) -> None:
    """Remove what was uploaded, and keep the report."""
    for path in folder_of(public_id).glob("*"):
        if path.name not in (_REPORT, _LOCK):
            path.unlink(missing_ok=True)


def remove(public_id: uuid.UUID) -> None:
    """Remove everything of an import."""
    shutil.rmtree(folder_of(public_id), ignore_errors=True)


def forget_addresses(asked: Iterable[str]) -> None:
    """Remove the reports in which one of the addresses stands. For when somebody asks to be forgotten."""
    wanted = [address.lower().encode() for address in asked]
    for path in (current_settings().data_dir / "imports").glob(f"*/{_REPORT}"):
        text = path.read_bytes().lower()
        if any(address in text for address in wanted):
            path.unlink(missing_ok=True)


@contextmanager
def only_here(public_id: uuid.UUID) -> Iterator[bool]:
    """Whether nobody else works on this import; nobody does while the block lasts. A process that dies lets go."""
    folder = folder_of(public_id)
    if not folder.is_dir():
        yield False
        return
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(lock)
