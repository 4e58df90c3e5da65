"""What the kinds with a picture share: its fields, its rules, and its place in the mail, the text and the page."""

import re
from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, text
from newsletter.rendering.picture_names import size_of

_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|webp|heic)", re.IGNORECASE)

MEDIA = Field(
    name="media", label=_("Picture"), type=FieldType.MEDIA, required=True, missing=_("Choose a picture.")
)  # fmt: skip
ALT = text("alt", _("Description"), longest=300, hint=_("What the picture shows, in a sentence."))
DECORATIVE = Field(
    name="decorative", label=_("Only decoration"), type=FieldType.FLAG,
    hint=_("It says nothing that the text does not say."),
)  # fmt: skip


def check_alt(data: dict[str, Any]) -> Iterator[Problem]:
    """A picture says something in words, or is marked as decoration."""
    if not data["alt"] and not data["decorative"]:
        yield Problem("alt", _("Describe the picture in words, or mark it as decoration."))
    if _FILE_NAME.fullmatch(data["alt"]) or (data["alt"] and data["alt"] == data["media"]):
        yield Problem("alt", _("Describe what the picture shows: this is the name of its file."))


def shown(name: str, context: Context, most: int) -> dict[str, Any]:
    """Address and size of a picture in templates: `shown_width` in the mail, at most `most`; `width` and `height`
    as it is, None where nobody knows."""
    width, height = size_of(name) or (None, None)
    return {
        "src": context.picture(name),
        "shown_width": min(width or most, most),
        "width": width,
        "height": height,
    }
