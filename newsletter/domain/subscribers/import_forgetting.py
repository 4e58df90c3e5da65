"""Whoever asks to be forgotten goes from files that were uploaded, from what was shown of them, and from reports."""

import logging
import uuid
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select

from ...config import current_settings
from ...db import db, transaction
from ...i18n import gettext as _
from ...models import ImportRun
from ...states import ImportState
from . import import_files

_log = logging.getLogger(__name__)
_PIECE = 1024 * 1024
#: Spreadsheets write these; ASCII reads the same in UTF-8 and in the code pages.
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
_READY = (ImportState.UPLOADED, ImportState.STOPPED, ImportState.FAILED)


def blank_shown(addresses: Iterable[str]) -> None:
    """Take the first lines of a file out of the row of its import, where one of the addresses stands in them."""
    wanted = [address.lower() for address in addresses]
    for run in db.session.scalars(select(ImportRun)):
        if any(address in str(run.mapping).lower() for address in wanted):
            files = [[path, {**layout, "shown": []}] for path, layout in run.mapping["files"]]
            run.mapping = {**run.mapping, "files": files}
    db.session.flush()


def forget_files(addresses: Iterable[str]) -> None:
    """Remove the reports and the uploads in which one of the addresses stands. Opens transactions of its own.

    An import that waited for somebody to go on with it says why it cannot.
    """
    asked = list(addresses)
    import_files.forget_addresses(asked)
    wanted = [address.lower().encode(encoding) for address in asked for encoding in _ENCODINGS]
    for folder in (current_settings().data_dir / "imports").glob("*"):
        if any(_holds(path, wanted) for path in folder.glob("**/*") if path.is_file()):
            _give_up(uuid.UUID(hex=folder.name))


def _give_up(key: uuid.UUID) -> None:
    with transaction() as session:
        run = session.scalar(select(ImportRun).where(ImportRun.public_id == key, ImportRun.state.in_(_READY)))
        if run is None:
            return  # it is under way, obeys the suppression, and removes its file at its end
        run.state = ImportState.FAILED
        run.problem = _("Somebody in the file asked to be forgotten, so the file was removed.")
    import_files.remove_upload(key)
    _log.info("The files of an import were removed, for somebody in them was forgotten")


def _holds(path: Path, wanted: list[bytes]) -> bool:
    longest, before = max(map(len, wanted)), b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            text = before + piece.lower()
            if any(each in text for each in wanted):
                return True
            before = text[-longest:]
    return False
