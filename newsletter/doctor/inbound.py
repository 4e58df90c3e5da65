"""The mailbox that bounces and complaints come back to: that we are let in, and that somebody reads it."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from ..config import Settings
from ..db import db
from ..errors import MailboxError, SettingError
from ..mail.imap import ImapMailbox
from ..mail.inbound_sources import open_source
from ..mail.oauth import TokenSource
from ..models import MailSource
from .findings import Area, Notes

_MEND = "See NEWSLETTER_INBOUND_URL."
_LONG_AGO = timedelta(hours=1)


def examine_inbound(settings: Settings, now: datetime, *, readable: bool) -> Notes:
    """The inbound mailbox of the settings; no mail in it is read or moved. `readable`: the database may be asked."""
    notes = Notes(Area.INBOUND)
    url = settings.inbound_url
    if url is None:
        notes.good("No inbound mailbox is set, so none is read.")
        return notes
    try:
        source = open_source(url, ca_file=settings.relay_ca_file, tokens=TokenSource.from_settings(settings))
        if isinstance(source, ImapMailbox):
            source.check()
            notes.good("The mailbox lets us in and opens the folder.")
        else:
            _maildir(notes, Path(url.removeprefix("maildir:")))
    except (MailboxError, SettingError) as error:
        notes.wrong(f"{str(error).rstrip('.')}.", _MEND)
        return notes
    if readable:
        _last_look(notes, source.name, now)
    return notes


def _maildir(notes: Notes, folder: Path) -> None:
    missing = [name for name in ("new", "cur") if not (folder / name).is_dir()]
    if missing:
        notes.wrong(f"{folder} is no Maildir: it has no folder “{missing[0]}”.", _MEND)
    elif not all(os.access(folder / name, os.R_OK | os.W_OK | os.X_OK) for name in ("new", "cur")):
        notes.wrong(f"The Maildir {folder} cannot be read and changed by this user.", _MEND)
    else:
        notes.good(f"The Maildir {folder} can be read.")


def _last_look(notes: Notes, name: str, now: datetime) -> None:
    """When the worker read it last. A mailbox that was never read belongs to an installation that was just set up."""
    row = db.session.get(MailSource, name)
    worked_at = row.worked_at if row is not None else None
    db.session.rollback()
    if worked_at is None:
        notes.warning("No worker has read it yet.", "Start newsletter serve or newsletter worker, and wait a while.")
    elif now - worked_at > _LONG_AGO:
        hours = (now - worked_at) // timedelta(hours=1)
        notes.warning(f"It was last read {hours} hours ago or more.", "Is a worker running?")
    else:
        notes.good("The worker has read it within the last hour.")
