"""From the setting of an inbound mailbox to the source that reads it."""

from pathlib import Path

from .imap import ImapMailbox
from .inbound import Source
from .maildir import Maildir
from .oauth import TokenSource


def open_source(url: str, *, ca_file: Path | None = None, tokens: TokenSource | None = None) -> Source:
    """The source of a setting: `imaps://…`, `imap+starttls://…` or `maildir:/folder`. Connects to nothing yet.

    `tokens` are for `?auth=xoauth2`. Raises SettingError.
    """
    if url.startswith("maildir:"):
        return Maildir(Path(url.removeprefix("maildir:")))
    return ImapMailbox.from_url(url, ca_file=ca_file, tokens=tokens)
