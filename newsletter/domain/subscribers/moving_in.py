"""Moving in from another sender: what their exports look like, and who in them must not be written to.

Mailchimp gives a ZIP of three files (subscribed, unsubscribed, cleaned), told apart by their columns; GovDelivery a
list of subscribers whose addresses stand under "Destination", and a report of those deleted with the reason. Any file
with a column of states is read the same way.
"""

import re
from enum import StrEnum
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...states import SuppressionReason
from .import_reading import LARGEST, Layout

_MOST_FILES = 20


class Kind(StrEnum):
    """Where a file comes from."""

    CSV = "csv"
    MAILCHIMP = "mailchimp"
    GOVDELIVERY = "govdelivery"


KIND_WORDS = {Kind.CSV: _("A spreadsheet"), Kind.MAILCHIMP: "Mailchimp", Kind.GOVDELIVERY: "GovDelivery"}

#: Words of a column of states, or reasons, and what each means here. What is in none of them is a subscriber.
_OUT = (
    (SuppressionReason.COMPLAINT, re.compile(r"\b(complain\w*|spam|abuse)\b")),
    (
        SuppressionReason.BOUNCED,
        re.compile(
            r"\b(cleaned|\w*bounced?|undeliverable|invalid|blacklisted|delivery failures?|failed|bad address)\b"
        ),
    ),
    (
        SuppressionReason.UNSUBSCRIBED_ALL,
        re.compile(
            r"\b(unsubscribed?|opted[ -]?out|deleted|removed|inactive|deactivated|archived|suppressed|by \w+|left)\b"
        ),
    ),
)
#: A column that only these files have, and what every line of such a file is.
_WHOLE_FILE = (
    ("cleantime", SuppressionReason.BOUNCED),
    ("unsubtime", SuppressionReason.UNSUBSCRIBED_ALL),
    ("datedeleted", SuppressionReason.UNSUBSCRIBED_ALL),
)


def kind_of(layout: Layout) -> Kind:
    """Whose export this is, by its columns."""
    names = _names(layout)
    if {"memberrating", "leid", "euid"} & names:
        return Kind.MAILCHIMP
    if "destination" in names:
        return Kind.GOVDELIVERY
    return Kind.CSV


def of_file(layout: Layout) -> SuppressionReason | None:
    """What everybody in the file is, where the file says so; a line may say more."""
    names = _names(layout)
    return next((reason for name, reason in _WHOLE_FILE if name in names), None)


def status_column(layout: Layout) -> int | None:
    """Where a line says how somebody stands, or why they left."""
    names = [_plain(cell) for cell in layout.head]
    for name in ("unsubreason", "deletionreason"):
        if layout.header and name in names:
            return names.index(name)
    return layout.columns.get("status")


def of_status(words: str) -> SuppressionReason | None:
    """What a state's words mean; None for somebody who is subscribed."""
    said = words.strip().lower().replace("_", " ")
    if not said:
        return None
    return next((reason for reason, pattern in _OUT if pattern.search(said)), None)


def unpack(upload: Path, folder: Path) -> list[Path]:
    """The CSV files of an upload: itself, or those within a ZIP. Raises Invalid for a ZIP that is none of ours.

    The names within are not used as names here, and no more is written than a file may be large.
    """
    with upload.open("rb") as file:
        if not file.read(4).startswith(b"PK\x03\x04"):
            return [upload]
    try:
        with ZipFile(upload) as archive:
            found = [one for one in archive.infolist() if one.filename.lower().endswith(".csv") and not one.is_dir()]
            found = [one for one in found if not one.filename.startswith("__MACOSX")]
            if not found or len(found) > _MOST_FILES or any(one.flag_bits & 1 for one in found):
                raise _invalid(_("The file is a ZIP or a spreadsheet without CSV files in it. Save it as CSV."))
            room, parts = LARGEST, []
            for number, one in enumerate(sorted(found, key=lambda each: each.filename), start=1):
                part = folder / f"part{number}.csv"
                with archive.open(one) as source, part.open("wb") as target:
                    while piece := source.read(1024 * 1024):
                        room -= len(piece)
                        if room < 0:
                            raise _invalid(_("What is in the ZIP is larger than 1 GB. Split it."))
                        target.write(piece)
                parts.append(part)
            return parts
    except (BadZipFile, NotImplementedError, OSError, EOFError, RuntimeError):
        raise _invalid(_("The ZIP file is damaged. Export it again.")) from None


def _names(layout: Layout) -> set[str]:
    return {_plain(cell) for cell in layout.head} if layout.header else set()


def _plain(cell: str) -> str:
    return re.sub(r"[^a-z]", "", cell.lower())


def _invalid(sentence: str) -> Invalid:
    return Invalid([Problem("file", sentence)])
