"""A Word file as a package: opened within limits, and without anything that acts or leads elsewhere.

A .docx is a ZIP of XML parts (ECMA-376). Limits: how many parts, how large each and all of them are, how far one is
blown up. No part may declare a document type, so no entity is ever resolved; nothing outside of the file is fetched.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from ....errors import Invalid, Problem

LARGEST_FILE = 20 * 1024 * 1024
_MOST_PARTS = 2000
_LARGEST_PART = 10 * 1024 * 1024
_LARGEST_WHOLE = 100 * 1024 * 1024
_HIGHEST_RATIO = 200
_RATIO_MATTERS = 256 * 1024
_MOST_ELEMENTS = 400_000
_DEEPEST = 120
_MACROS = re.compile(r"vbaproject|macroenabled|activex|\.(?:exe|dll|vbs|js|jar|bat|cmd|scr)$", re.IGNORECASE)


def refused(sentence: str) -> Invalid:
    """The error for a document that is not read, with the sentence that says why."""
    return Invalid([Problem("document", sentence)])


@dataclass(frozen=True)
class Package:
    """The parts of an opened file by their names."""

    archive: zipfile.ZipFile
    names: frozenset[str]

    def xml(self, name: str) -> bytes:
        """An XML part, checked; b"" where there is none. Raises Invalid."""
        return _checked(self._read(name)) if name in self.names else b""

    def picture(self, name: str) -> bytes:
        """A picture's file; b"" for one that is larger than any that can be used."""
        return self._read(name) if self.archive.getinfo(name).file_size <= _LARGEST_PART else b""

    def under(self, *starts: str) -> Iterator[str]:
        """The names that begin so, in order."""
        return (name for name in sorted(self.names) if name.startswith(starts))

    def _read(self, name: str) -> bytes:
        # What the directory says of a part is not trusted: no more than the limit is ever unpacked.
        try:
            with self.archive.open(name) as part:
                content = part.read(_LARGEST_PART + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, ValueError) as error:
            raise refused("The Word document is damaged. Open it in Word, save it again, and try that.") from error
        if len(content) > _LARGEST_PART:
            raise refused("A part of the Word document is too large to be read.")
        return content


def open_package(source: bytes) -> Package:
    """Open the bytes of a .docx. Raises Invalid, in a sentence, for what is too large, damaged, or holds macros."""
    if len(source) > LARGEST_FILE:
        raise refused("The document has more than 20 MB. Take its pictures out and try again.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(source))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise refused("The Word document is damaged. Open it in Word, save it again, and try that.") from error
    _within_limits(parts)
    names = frozenset(part.filename for part in parts)
    if any(_MACROS.search(name) for name in names):
        raise refused("The document holds macros or programs. Save it as an ordinary Word document (.docx).")
    package = Package(archive, names)
    if b"macroEnabled" in package.xml("[Content_Types].xml"):
        raise refused("The document is one with macros. Save it as an ordinary Word document (.docx).")
    return package


def _within_limits(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > _MOST_PARTS:
        raise refused("The document is made of more parts than any newsletter is.")
    if sum(part.file_size for part in parts) > _LARGEST_WHOLE:
        raise refused("The document is too large when it is unpacked.")
    for part in parts:
        if part.flag_bits & 0x1:
            raise refused("The document is protected by a password. Save it without one and try again.")
        if part.file_size > _RATIO_MATTERS and part.file_size > _HIGHEST_RATIO * max(part.compress_size, 1):
            raise refused("The document unpacks to far more than it should, so it is not read.")


def _checked(xml: bytes) -> bytes:
    """The XML, if it declares no document type and is neither deep nor endless."""
    parser = expat.ParserCreate()
    state = {"depth": 0, "elements": 0}

    def start(_name: str, _attributes: object) -> None:
        state["depth"] += 1
        state["elements"] += 1
        if state["depth"] > _DEEPEST or state["elements"] > _MOST_ELEMENTS:
            raise refused("The Word document is built in a way that is not read: it is too deep or too long.")

    def end(_name: str) -> None:
        state["depth"] -= 1

    def doctype(*_declared: object) -> None:
        raise refused("The Word document declares entities, which no Word document needs. It is not read.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise refused("The Word document is damaged. Open it in Word, save it again, and try that.") from error
    return xml
