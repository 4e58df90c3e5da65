"""What a block may know of the issue that it stands in, worked out once for a rendering."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from newsletter import dates
from newsletter.i18n import translations

from .content import Frame
from .palette import Palette, palette
from .when import When, parse

_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ku-arab", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True)
class Chapter:
    """A line of "In this issue". `anchor` is "" for what stands only in the mail."""

    title: str
    anchor: str


@dataclass(frozen=True)
class DateRow:
    """A line of "Key dates"; `deadline` marks the one that the next issue hangs on."""

    date: When
    what: str
    deadline: bool = False


@dataclass(frozen=True)
class Context:
    """The surroundings of a block: what is bound, and what is collected from its neighbours.

    `anchors` and `events` go by the ids of blocks: an anchor on the web page, the number of an event on it.
    """

    frame: Frame
    chapters: tuple[Chapter, ...] = ()
    dates: tuple[DateRow, ...] = ()
    anchors: dict[str, str] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)

    @cached_property
    def palette(self) -> Palette:
        return palette(self.frame.accent)

    @property
    def direction(self) -> str:
        return direction(self.frame.language)

    @property
    def one_year(self) -> int | None:
        """The year that all key dates share: a phone has no room to repeat it on every row."""
        years = {row.date.at.year for row in self.dates}
        return years.pop() if len(years) == 1 else None

    @property
    def deadline(self) -> str:
        """The next issue's deadline in words, or ""."""
        instant = self.frame.next_deadline
        return dates.moment(instant, self.frame.timezone) if instant else ""

    @property
    def zone(self) -> str:
        """How readers name the issue's time zone: "UK time"."""
        return dates.zone_words(self.frame.timezone)

    @property
    def local_send(self) -> datetime | None:
        """When the issue is to be sent, as a naive local time."""
        instant = self.frame.planned_send
        return dates.local(instant, self.frame.timezone).replace(tzinfo=None) if instant else None

    def instant(self, value: str) -> str:
        """ISO 8601, in UTC, of a stored local moment; "" for what names no moment."""
        found = parse(value)
        if found is None or not found.timed:
            return ""
        try:
            return dates.to_instant(found.at.date(), found.at.time(), self.frame.timezone).isoformat()
        except ValueError:
            return ""

    def gettext(self, text: str) -> str:
        """`text` in the issue's language."""
        return translations(self.frame.language).gettext(text)

    def picture(self, name: str) -> str:
        """The address of one of our pictures."""
        return self.frame.media_base + name if name else ""


def direction(language: str | None) -> str:
    """ "rtl" or "ltr", by a BCP 47 tag (RFC 5646): its script where it names one, else its language."""
    parts = (language or "").lower().split("-")
    if len(parts) > 1 and len(parts[1]) == 4:
        return "rtl" if parts[1] in ("arab", "hebr", "thaa", "syrc", "nkoo") else "ltr"
    return "rtl" if parts[0] in _RIGHT_TO_LEFT else "ltr"


def slug(text: str) -> str:
    """An anchor made of a heading; "" where none of it can be written in ASCII."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].rstrip("-")
