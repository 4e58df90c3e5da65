"""The mailbox that bounces and complaints come back to: that it is there."""

from pathlib import Path

from ..config import Settings
from .findings import Area, Notes


def examine_inbound(settings: Settings) -> Notes:
    """The inbound mailbox of the settings. Nothing in it is read or changed."""
    notes = Notes(Area.INBOUND)
    url = settings.inbound_url
    if url is None:
        notes.good("No inbound mailbox is set, so none is read.")
    elif url.startswith("maildir:"):
        _maildir(notes, Path(url.removeprefix("maildir:")))
    return notes


def _maildir(notes: Notes, folder: Path) -> None:
    missing = [name for name in ("new", "cur", "tmp") if not (folder / name).is_dir()]
    if missing:
        notes.wrong(f"{folder} is no Maildir: it has no folder “{missing[0]}”.", "See NEWSLETTER_INBOUND_URL.")
    else:
        notes.good(f"The Maildir {folder} can be read.")
