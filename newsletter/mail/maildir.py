"""A Maildir that another program delivers to: what is in `new` is read and moved to `cur`, as Maildir wants it.

Source: the maildir(5) of qmail, by D. J. Bernstein.
"""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from newsletter.errors import MailboxError

from .inbound import LONGEST, Incoming, received_at
from .mime_parts import LONGEST_HEAD, Part

_MOST_AT_ONCE = 1_000


class Maildir:
    """The folder that holds `new`, `cur` and `tmp`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        return f"Maildir {self._folder}"[:255]

    def messages(self) -> Iterator[Incoming]:
        """What lies in `new`. What is settled is marked as seen in `cur`; what was not lies there as unread."""
        new = self._folder / "new"
        if not new.is_dir() or not (self._folder / "cur").is_dir():
            raise MailboxError(f"The folder {self._folder} is no Maildir: it needs the folders new and cur.")
        try:
            waiting = sorted(new.iterdir(), key=lambda path: path.name)[:_MOST_AT_ONCE]
        except OSError as error:
            raise MailboxError(f"The folder {new} cannot be read ({error.strerror}).") from None
        for path in waiting:
            incoming = self._read(path)
            if incoming is not None:
                yield incoming

    def newest_with(self, word: str) -> bytes | None:
        try:
            paths = [path for name in ("new", "cur") for path in (self._folder / name).iterdir()]
        except OSError as error:
            raise MailboxError(f"The folder {self._folder} cannot be read ({error.strerror}).") from None
        mails = [mail for path in paths if (mail := self._read(path)) is not None and _named(mail.raw, word)]
        return max(mails, key=lambda mail: mail.received_at).raw if mails else None

    def _read(self, path: Path) -> Incoming | None:
        try:
            about = path.lstat()
            # A link could lead to any file of ours.
            if not stat.S_ISREG(about.st_mode):
                return None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise MailboxError(f"The file {path} cannot be read ({error.strerror}).") from None
        raw = _first_of(path, LONGEST)
        written = datetime.fromtimestamp(about.st_mtime, UTC)
        return Incoming(raw, received_at(raw, written), partial(self._put_away, path), partial(_first_of, path))

    def _put_away(self, path: Path, settled: bool) -> None:
        name = path.name.partition(":2,")[0]
        try:
            path.rename(self._folder / "cur" / f"{name}:2,{'S' if settled else ''}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise MailboxError(f"The file {path} cannot be moved to cur ({error.strerror}).") from None


def _first_of(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise MailboxError(f"The file {path} cannot be read ({error.strerror}).") from None


def _named(raw: bytes, word: str) -> bool:
    """Whether the word stands in one of the headers that name a mail."""
    headers = Part.of(raw[:LONGEST_HEAD]).headers
    return word in headers.get("subject") or word in headers.get("message-id")
