"""Mail that comes to us: one shape for whatever it is read from.

    for mail in open_source(url).messages():  # see `inbound_sources`
        taken = take_in(mail.raw, …)
        mail.done(taken.settled)

A source hands over each mail once: what is settled is put away (`done(True)`), all else stays where it is for a
person, marked so that it is not brought again (`done(False)`). A mail whose reader died before `done` comes again;
whoever takes mail in knows what they had by its digest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from .mime_parts import LONGEST_HEAD, Part
from .reports import LONGEST


@dataclass(frozen=True)
class Incoming:
    """One mail: its first 512 KB, and when our own server had it (aware).

    `whole` brings as many bytes of it as are asked for, as long as the source has not gone on to the next. Raises
    MailboxError.
    """

    raw: bytes = field(repr=False)
    received_at: datetime
    done: Callable[[bool], None] = field(repr=False)
    whole: Callable[[int], bytes] = field(repr=False)


class Source(Protocol):
    """Where mail comes from. `name` is for people, and for the row that says how it is: no password is in it."""

    @property
    def name(self) -> str: ...

    def messages(self) -> Iterator[Incoming]:
        """The mails that were not handed over before, oldest first. Raises MailboxError, in a sentence."""
        ...

    def newest_with(self, word: str) -> bytes | None:
        """The newest mail with this word (letters and digits) in its subject or Message-ID; None where there is none.

        Its first 512 KB; it stays where it is, unread if it was. Raises MailboxError.
        """
        ...


def received_at(raw: bytes, latest: datetime) -> datetime:
    """When our own server had the mail: the time in the outermost Received, which no sender writes.

    Never the Date header, and never later than `latest` (aware), which is also the answer where there is none.
    """
    stamp = Part.of(raw[:LONGEST_HEAD]).headers.get("received").rpartition(";")[2]
    try:
        found = parsedate_to_datetime(stamp.strip()[:100])
        # "-0000" says that it is UTC and nothing about a place (RFC 5322 §3.3).
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return min(aware.astimezone(UTC), latest)
    except (ValueError, TypeError, IndexError, OverflowError):
        return latest


__all__ = ["LONGEST", "Incoming", "Source", "received_at"]
