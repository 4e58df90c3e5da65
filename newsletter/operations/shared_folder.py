"""Whether the folder of imports is one for all machines: an upload comes to one, and another may be the one to read it.

Whoever is forgotten goes from uploads and reports, too, which is done where the wish is heard: in a folder of its own a
machine would keep them. So the folder has a name of its own, and every machine says which one it sees.
"""

import logging
import os
import secrets
import socket

from ..config import current_settings
from ..work import counting
from .signs import Signs
from .totals import IMPORTS

_log = logging.getLogger(__name__)
_NAME = ".name"
#: What a count keeps of a machine's name.
_LONGEST_HOST = 80
#: Of processes that deal with imports.
_PARTS = ("web", "worker")


def note_here() -> None:
    """Note which folder this machine sees. Where only one machine can work there is nothing to be noted."""
    if current_settings().runner == "threads":
        return
    try:
        counting.note(IMPORTS, socket.gethostname()[:_LONGEST_HOST], said=_name())
    except OSError as error:
        _log.warning("The folder of imports cannot be used (%s)", error.strerror)


def by_name(signs: Signs) -> dict[str, list[str]]:
    """The machines of the processes that live, by the name of the folder that they see: one where it is shared."""
    hosts = {one.host[:_LONGEST_HOST] for part in _PARTS for one in signs.living(part)}
    found: dict[str, list[str]] = {}
    for (name, host), row in sorted(signs.totals.items()):
        if name == IMPORTS and host in hosts:
            found.setdefault(row.said, []).append(host)
    return found


def _name() -> str:
    """The folder's name, given to it by whoever comes first."""
    folder = current_settings().data_dir / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / _NAME
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii", "replace")[:100]
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(name := secrets.token_hex(8))
    return name
