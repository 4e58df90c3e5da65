"""The last probe, kept in the data directory: what was sent, to lay beside what arrives."""

import json
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_FILE = "last-probe.json"
_CODE = re.compile(rb"^Message-ID: <probe\.([0-9a-f]{8})\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class KeptProbe:
    """A probe as it left: the whole message, its return path and recipient, and when (aware UTC)."""

    message: bytes
    sender: str
    recipient: str
    at: datetime

    @property
    def code(self) -> str:
        """The eight letters and digits by which it is known again, in its subject and its Message-ID."""
        found = _CODE.search(self.message)
        return found[1].decode("ascii") if found else ""


def keep(folder: Path, probe: KeptProbe) -> None:
    """Put it in place of the last one, readable by its owner alone. Raises OSError."""
    content = {
        # Our messages are ASCII to the last octet: quoted-printable bodies, encoded words.
        "message": probe.message.decode("ascii"),
        "sender": probe.sender,
        "recipient": probe.recipient,
        "at": probe.at.isoformat(),
    }
    draft = folder / f".{_FILE}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(content, file)
    draft.replace(folder / _FILE)


def last_probe(folder: Path) -> KeptProbe | None:
    """The last one; None where none was sent from here, or its file cannot be read."""
    try:
        content = json.loads((folder / _FILE).read_text(encoding="ascii"))
        return KeptProbe(
            str(content["message"]).encode("ascii"),
            str(content["sender"]),
            str(content["recipient"]),
            datetime.fromisoformat(content["at"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
