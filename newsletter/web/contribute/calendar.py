"""Deadlines as a calendar (RFC 5545): one event each, at an instant in UTC, that calendars keep up to date."""

from collections.abc import Iterable
from datetime import UTC, datetime

from ...i18n import gettext as _
from ...models import Issue

_LONGEST_LINE = 75  # octets, without the line break (RFC 5545, 3.1)
_STAMP = "%Y%m%dT%H%M%SZ"


def calendar(deadlines: Iterable[tuple[Issue, datetime, str]], *, name: str, host: str) -> str:
    """The text of an .ics file.

    `deadlines` are (issue, when its deadline was set, the address of its call); issues without a deadline are
    left out. `host` makes the events' names unique in the world. The same deadlines give the same text.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//newsletter//deadlines//EN",
        "CALSCALE:GREGORIAN",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
    ]
    for issue, set_at, url in deadlines:
        lines += _event(issue, set_at, url, host)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in fold(line))


def _event(issue: Issue, set_at: datetime, url: str, host: str) -> list[str]:
    deadline = issue.deadline
    if deadline is None:
        return []
    publication = issue.mailing_list.name
    summary = _("Deadline: news for {publication}, {issue}").format(publication=publication, issue=issue.title)
    words = _("Send us your news by {deadline}.").format(deadline=deadline.words_with_zone)
    return [
        "BEGIN:VEVENT",
        f"UID:deadline-{issue.id}@{host}",
        f"DTSTAMP:{stamp(set_at)}",
        f"SEQUENCE:{issue.deadline_version}",
        f"DTSTART:{stamp(deadline.instant)}",
        f"SUMMARY:{_text(summary)}",
        f"DESCRIPTION:{_text(words)} {_text(url)}",
        f"URL:{url}",
        # A deadline is a moment to know of, not a time when nobody can be met.
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def stamp(instant: datetime) -> str:
    """An instant in the form "20270115T170000Z"."""
    return instant.astimezone(UTC).strftime(_STAMP)


def _text(value: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11)."""
    for character, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\n"), ("\n", "\\n")):
        value = value.replace(character, escaped)
    return "".join(character for character in value if character >= " ")


def fold(line: str) -> list[str]:
    """The content line in pieces of at most 75 octets; each but the first begins with a space."""
    pieces: list[str] = []
    piece, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > _LONGEST_LINE:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += octets
    return [*pieces, piece]
