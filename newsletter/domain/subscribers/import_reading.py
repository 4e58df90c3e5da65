"""Understanding a file of people as it comes out of a spreadsheet or another sender: encoding, columns, records.

Files are read as they come, a line at a time, so that a million lines take no more room than ten thousand.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Self

from ...errors import Invalid, Problem
from ...i18n import gettext as _
from .words import one_line

LARGEST = 1024 * 1024 * 1024
DELIMITERS = ",;\t"
#: What a column may hold that we keep, and the names by which each is known, without spaces and in lower case.
COLUMNS = {
    "email": ("email", "emailaddress", "emails", "mail", "address", "destination", "contact", "contacts"),
    "name": ("name", "fullname", "displayname", "contactname", "contact"),
    "first_name": ("firstname", "forename", "givenname", "first", "fname"),
    "last_name": ("lastname", "surname", "familyname", "last", "lname"),
    "organisation": (
        *("organisation", "organization", "company", "agency", "employer", "workplace", "school", "team"),
        *("organisationname", "organizationname", "companyname"),
    ),
    "sector": ("sector",),
    "status": ("status", "state", "subscriptionstatus", "memberstatus", "deletionreason"),
}
#: How many lines a quoted cell may go on for. A quotation mark that is never closed costs its own line only.
_LONGEST_CELL_LINES = 10
_SAMPLE = 64 * 1024
_SHOWN_LINES = 5


@dataclass(frozen=True)
class BadLine:
    """A line that is no record, and why."""

    reason: str
    value: str


@dataclass(frozen=True)
class Layout:
    """How one file is written. `columns` says at which index stands what (see COLUMNS); "email" is always there.

    `head` and `shown` are the cells of its first line and of a few after it, for a person to compare.
    """

    encoding: str
    delimiter: str
    header: bool
    columns: dict[str, int]
    head: list[str] = field(default_factory=list)
    shown: list[list[str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self:
        """From what `as_dict` gave."""
        return cls(**kept)


def understand(path: Path) -> Layout:
    """Look at the beginning of a file. Raises Invalid, in a sentence, for one without a column of addresses."""
    if path.stat().st_size > LARGEST:
        raise _invalid(_("The file is larger than 1 GB. Split it."))
    encoding = _encoding_of(path)
    first = next((line for _number, line in _lines(path, encoding) if line.strip()), None)
    if first is None:
        raise _invalid(_("The file is empty."))
    delimiter = max(DELIMITERS, key=first.count)
    beginning = (cells for _number, cells in records(path, encoding, delimiter))
    said = (cells for cells in beginning if isinstance(cells, BadLine) or any(cell.strip() for cell in cells))
    read = list(islice(said, _SHOWN_LINES + 1))
    if not read:
        raise _invalid(_("The file is empty."))
    if isinstance(read[0], BadLine):
        raise _invalid(_("The first line of the file cannot be read: it is no list of names of columns."))
    shown = [cells for cells in read if not isinstance(cells, BadLine)]
    head = shown[0]
    if any("@" in cell for cell in head):
        return Layout(encoding, delimiter, False, _guessed(head), head, shown[:_SHOWN_LINES])
    return Layout(encoding, delimiter, True, _named(head, shown[1:]), head, shown[1:])


def records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str] | BadLine]]:
    """Each record with the number of its first line, counted from 1."""
    pushed: deque[tuple[int, str]] = deque()
    lines = _lines(path, encoding)
    while True:
        number, line = pushed.popleft() if pushed else next(lines, (0, ""))
        if not number:
            return
        if '"' not in line:
            yield number, line.split(delimiter)
            continue
        if line.count('"') % 2:
            while len(pushed) < _LONGEST_CELL_LINES and (more := next(lines, None)):
                pushed.append(more)
            joined = _closed(line, pushed, delimiter)
            if joined is None:
                yield number, BadLine(_("A quotation mark is opened and not closed."), line[:60])
                continue
            line = joined
        try:
            yield number, next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error as error:
            yield number, BadLine(_("The line cannot be read (%(error)s).") % {"error": error}, line[:60])


def newlines(path: Path) -> int:
    """How many lines a file has, at most: a cell may go on over several."""
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1024 * 1024), b""))


def decoded(raw: bytes) -> tuple[str, str]:
    """The name of the encoding and the text: UTF-8, UTF-16, or else Windows-1252, which takes anything."""
    name = _marked(raw[:_SAMPLE])
    if name:
        return name, raw.decode(name, "replace").removeprefix("\ufeff")
    try:
        return "utf-8", raw.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252", raw.decode("windows-1252", "replace")


def _marked(sample: bytes) -> str:
    """What a mark at the beginning says, or the zeros that stand at every other place; "" for neither."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if sample.startswith(mark):
            return name
    for name, zeros in (("utf-16-le", sample[1:4000:2]), ("utf-16-be", sample[:4000:2])):
        if len(zeros) > 8 and zeros.count(0) > 0.6 * len(zeros):
            return name
    return ""


def _encoding_of(path: Path) -> str:
    """As `decoded`, of a whole file that is not held at once."""
    with path.open("rb") as file:
        if name := _marked(file.read(_SAMPLE)):
            return name
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while piece := file.read(1024 * 1024):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "windows-1252"
    return "utf-8"


def _lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines without their ends, whichever of three ends they have."""
    with path.open(encoding=encoding, errors="replace", newline=None) as file:
        for number, line in enumerate(file, start=1):
            yield number, line.removesuffix("\n")


def _closed(record: str, pushed: deque[tuple[int, str]], delimiter: str) -> str | None:
    """The record with the lines that its quoted cell goes on over; None where it is not closed soon, and well."""
    for count, (_number, line) in enumerate(pushed, start=1):
        record += "\n" + line
        if record.count('"') % 2 == 0:
            try:
                next(csv.reader([record], delimiter=delimiter, strict=True))
            except csv.Error:
                return None
            for _used in range(count):
                pushed.popleft()
            return record
    return None


def _guessed(cells: list[str]) -> dict[str, int]:
    """No header: the address is where the @ is, the others follow in the order email, name, organisation."""
    email = next(index for index, cell in enumerate(cells) if "@" in cell)
    others = [index for index in range(len(cells)) if index != email]
    return {"email": email, **dict(zip(("name", "organisation"), others, strict=False))}


def _named(head: list[str], shown: list[list[str]]) -> dict[str, int]:
    names = [re.sub(r"[^a-z]", "", cell.lower()) for cell in head]
    found: dict[str, int] = {}
    for what, known in COLUMNS.items():
        at = next((names.index(name) for name in known if name in names), None)
        if at is not None and at not in found.values():
            found[what] = at
    if "email" not in found:
        # A name of theirs, and addresses below it.
        at = next((at for at in range(len(head)) if any("@" in "".join(row[at : at + 1]) for row in shown)), None)
        if at is None:
            cells = ", ".join(cell.strip() for cell in head if cell.strip())[:200]
            raise _invalid(
                _("The file has no column of email addresses. Call it “email”. Its first line reads: %(line)s")
                % {"line": one_line(cells)}
            )
        found = {"email": at, **{what: where for what, where in found.items() if where != at}}
    if "name" in found:
        found.pop("first_name", None)
        found.pop("last_name", None)
    return found


def _invalid(sentence: str) -> Invalid:
    return Invalid([Problem("file", sentence)])
