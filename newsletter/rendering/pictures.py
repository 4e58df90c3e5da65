"""A picture that somebody uploaded, made fit for mail: read by its content, turned upright, made small, written anew.

Nothing of the file goes on but what can be seen: no place, no camera, no name, no profile. Sources: OWASP ASVS 5.0,
5.2 and 5.3; OWASP File Upload Cheat Sheet.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.errors import Invalid, Problem
from newsletter.i18n import gettext as _

MOST_BYTES = 10 * 1024 * 1024
_WORKER = Path(__file__).with_name("picture_worker.py")
_SECONDS = 30
_SVG = (b"<svg", b"<?xml", b"<!doctype svg")
_PHONE = (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1", b"heim", b"heis", b"avif", b"avis")


@dataclass(frozen=True)
class Picture:
    """A picture as it is kept: PNG or JPEG. `width` and `height` are in pixels."""

    body: bytes
    content_type: str
    width: int
    height: int

    @property
    def suffix(self) -> str:
        return "png" if self.content_type == "image/png" else "jpg"


def remake(content: bytes) -> Picture:
    """The picture in an uploaded file, fit for mail: at most 1,200 pixels wide, twice a mail's column.

    Not for use inside `transaction()`: it takes a second, in a process of its own. The same file gives the same
    picture. Raises Invalid, with a sentence and the field "file", for what is none or cannot be used.
    """
    if not content:
        raise _refused(_("Choose a file."))
    if len(content) > MOST_BYTES:
        size = f"{len(content) / 1024 / 1024:.0f}"
        raise _refused(_("The file has {size} MB; a picture may have 10 MB at most.").format(size=size))
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and file, and a word of ours
            [sys.executable, "-I", str(_WORKER), _form_of(content)], input=content, capture_output=True,
            timeout=_SECONDS, check=False,
        )  # fmt: skip
        line, _newline, body = done.stdout.partition(b"\n")
        said: dict[str, Any] = json.loads(line) if line else {"refused": "slow"}
    except subprocess.TimeoutExpired:
        said, body = {"refused": "slow"}, b""
    if "width" not in said:
        raise _refused(_why(said["refused"]))
    return Picture(body, said["type"], said["width"], said["height"])


def _form_of(content: bytes) -> str:
    """The format by the first bytes, whatever the file is called; refuses what is not on the list."""
    for form, known in (
        ("PNG", content.startswith(b"\x89PNG\r\n\x1a\n")),
        ("JPEG", content.startswith(b"\xff\xd8\xff")),
        ("GIF", content.startswith((b"GIF87a", b"GIF89a"))),
        ("WEBP", content.startswith(b"RIFF") and content[8:12] == b"WEBP"),
    ):
        if known:
            return form
    if content[4:8] == b"ftyp" and content[8:12] in _PHONE:
        raise _refused(_("This is a HEIC or AVIF picture, as phones make them. Save it as JPEG and choose that."))
    if content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_SVG):
        raise _refused(_("This is an SVG drawing, which mail programs do not show. Save it as PNG and choose that."))
    if content.startswith(b"%PDF"):
        raise _refused(_("This is a PDF. Save the page as a PNG or JPEG picture, or link to the PDF."))
    raise _refused(_("This is not a picture that mail programs show. Use PNG, JPEG, WebP or GIF."))


def _why(reason: str) -> str:
    return {
        "pixels": _("The picture has too many pixels: 40 million at most. Save it smaller and choose that."),
        "moving": _("The picture moves, which distracts from reading. Choose a still one."),
        "slow": _("The picture took too long to read. Open it in a picture program, save it anew and choose that."),
    }.get(reason, _("The file is damaged or not complete: no picture can be read from it."))  # fmt: skip


def _refused(sentence: str) -> Invalid:
    return Invalid([Problem("file", sentence)])
