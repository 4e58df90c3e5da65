"""Reading a file of subscribers as it comes out of a spreadsheet: any of its encodings, any order of columns.

One bad line costs one line: each is reported with its number and the reason, and the rest is read.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ... import addresses
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from .words import LONGEST_NAME, LONGEST_ORGANISATION, one_line

_EMAIL = ("email", "emailaddress", "emails", "mail", "address")
_NAME = ("name", "fullname", "displayname", "contact", "contactname")
_FIRST, _LAST = ("firstname", "forename", "givenname", "first"), ("lastname", "surname", "familyname", "last")
_ORGANISATION = ("organisation", "organization", "company", "agency", "employer", "workplace", "school", "team")
#: Local parts that need no closer look; their domain is looked at once.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+'-]+(?:\.[A-Za-z0-9_+'-]+)*")
#: What our own export puts before a cell that a spreadsheet would take for a formula (ASVS 1.2.10).
_GUARDED = re.compile(r"'(?=[=+\-@\t\r\0])")
#: How many lines a quoted cell may go on for. A quotation mark that is never closed costs its own line only.
_LONGEST_CELL_LINES = 10
_LARGEST = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One person: the line they begin on, the address ready to be stored, and what else is said."""

    line: int
    address: str
    name: str
    organisation: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that cannot be used, and why. `value` is what stood where the address belongs, cut short."""

    line: int
    reason: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things stand in a line. `email` is the column's index; None: the file does not have it."""

    email: int
    name: int | None = None
    last_name: int | None = None
    organisation: int | None = None


@dataclass(frozen=True)
class Sheet:
    """A file that was understood: its lines, where its columns are, and how it was written."""

    lines: list[str]
    delimiter: str
    columns: Columns
    has_header: bool
    encoding: str

    def rows(self) -> Iterator[Row | BadRow]:
        """Each line that says something, read."""
        first = True
        for number, cells in _cells(self.lines, self.delimiter):
            if isinstance(cells, BadRow):
                yield cells
            elif any(cell.strip() for cell in cells):
                if not (first and self.has_header):
                    yield _row(number, cells, self.columns)
                first = False


def open_sheet(raw: bytes) -> Sheet:
    """Understand a file. Raises Invalid, in a sentence, for one without a column of email addresses."""
    if len(raw) > _LARGEST:
        raise _invalid(_("The file is larger than 200 MB. Split it."))
    encoding, text = decoded(raw)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise _invalid(_("The file is empty."))
    delimiter = max(",;\t", key=first.count)
    try:
        head = next(csv.reader([first], delimiter=delimiter))
    except csv.Error:
        raise _invalid(_("The first line of the file cannot be read: it is no list of names of columns.")) from None
    if any("@" in cell for cell in head):
        return Sheet(lines, delimiter, _guessed(head), False, encoding)
    return Sheet(lines, delimiter, _named(head), True, encoding)


def decoded(raw: bytes) -> tuple[str, str]:
    """The name of the encoding and the text: UTF-8, UTF-16, or else Windows-1252, which takes anything."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return name.removesuffix("-sig"), raw.decode(name, "replace")
    sample = raw[:4000]
    for name, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if len(zeros) > 8 and zeros.count(0) > 0.6 * len(zeros):
            return "utf-16", raw.decode(name, "replace")
    try:
        return "utf-8", raw.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252", raw.decode("cp1252", "replace")


def _guessed(cells: list[str]) -> Columns:
    """No header: the address is where the @ is, the others follow in the order email, name, organisation."""
    email = next(index for index, cell in enumerate(cells) if "@" in cell)
    others = [index for index in range(len(cells)) if index != email]
    return Columns(email, others[0] if others else None, None, others[1] if len(others) > 1 else None)


def _named(cells: list[str]) -> Columns:
    names = [re.sub(r"[^a-z]", "", cell.lower()) for cell in cells]

    def find(known: tuple[str, ...]) -> int | None:
        return next((names.index(name) for name in known if name in names), None)

    email = find(_EMAIL)
    if email is None:
        found = ", ".join(cell.strip() for cell in cells if cell.strip())[:200]
        raise _invalid(
            _("The file has no column of email addresses. Call it “email”. Its first line reads: %(line)s")
            % {"line": one_line(found)}
        )
    name = find(_NAME)
    first, last = (None, None) if name is not None else (find(_FIRST), find(_LAST))
    return Columns(email, name if name is not None else first, last, find(_ORGANISATION))


def _cells(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str] | BadRow]]:
    """Each record with the number of its first line, counted from 1."""
    index = 0
    while index < len(lines):
        number, record = index + 1, lines[index]
        index += 1
        if record.count('"') % 2:
            joined, after = _closed(lines, index, record, delimiter)
            if joined is None:
                yield number, BadRow(number, _("A quotation mark is opened and not closed."), record[:60])
                continue
            record, index = joined, after
        try:
            yield number, next(csv.reader([record], delimiter=delimiter), [])
        except csv.Error as error:
            yield number, BadRow(number, _("The line cannot be read (%(error)s).") % {"error": error}, record[:60])


def _closed(lines: list[str], index: int, record: str, delimiter: str) -> tuple[str | None, int]:
    """The record with the lines that its quoted cell goes on over; None where it is not closed soon, and well."""
    for after in range(index, min(index + _LONGEST_CELL_LINES, len(lines))):
        record += "\n" + lines[after]
        if record.count('"') % 2 == 0:
            try:
                next(csv.reader([record], delimiter=delimiter, strict=True))
            except csv.Error:
                break
            return record, after + 1
    return None, index


def _row(line: int, cells: list[str], columns: Columns) -> Row | BadRow:
    typed = _cell(cells, columns.email)
    if "\0" in "".join(cells):
        return BadRow(line, _("The line holds a NUL character."), one_line(typed)[:60])
    try:
        address = clean_address(typed)
    except Invalid as error:
        return BadRow(line, f"{error}.", one_line(typed)[:60])
    name = " ".join(filter(None, (_cell(cells, columns.name), _cell(cells, columns.last_name))))
    organisation = one_line(_cell(cells, columns.organisation))
    return Row(line, address, one_line(name)[:LONGEST_NAME], organisation[:LONGEST_ORGANISATION])


def _cell(cells: list[str], index: int | None) -> str:
    return _GUARDED.sub("", cells[index].strip(), count=1) if index is not None and index < len(cells) else ""


def clean_address(typed: str) -> str:
    """As `addresses.clean`, and quicker for many plain addresses of few domains. Raises Invalid."""
    local, at, domain = typed.strip().rpartition("@")
    if not at or len(local) > 64 or not _PLAIN_LOCAL.fullmatch(local):
        return addresses.clean(typed)
    probe = _probe(domain)
    if probe is None or len(local) + 1 + len(probe) > 254:
        return addresses.clean(typed)
    return f"{local}@{probe}"


@lru_cache(maxsize=10_000)
def _probe(domain: str) -> str | None:
    try:
        return addresses.clean(f"a@{domain}").partition("@")[2]
    except Invalid:
        return None


def _invalid(sentence: str) -> Invalid:
    return Invalid([Problem("file", sentence)])
