"""A picture of our own, described in words."""

import re
from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, text

from .base import TEXT_GROUP, BlockKind, Part

_COLUMN = 536
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|webp|heic)", re.IGNORECASE)


class Image(BlockKind):
    kind = "image"
    name = _("Picture")
    purpose = _("A photograph or drawing, with a description for people who cannot see it.")
    icon = "image"
    group = TEXT_GROUP
    fields = (
        Field(name="media", label=_("Picture"), type=FieldType.MEDIA, required=True, missing=_("Choose a picture.")),
        text("alt", _("Description"), longest=300, hint=_("What the picture shows, in a sentence.")),
        Field(
            name="decorative", label=_("Only decoration"), type=FieldType.FLAG,
            hint=_("It says nothing that the text does not say."),
        ),
        text("caption", _("Caption"), longest=300),
        Field(name="width", label=_("Width"), type=FieldType.NUMBER, least=1, most=10_000, public=False),
        Field(name="height", label=_("Height"), type=FieldType.NUMBER, least=1, most=10_000, public=False),
    )  # fmt: skip

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        if not data["alt"] and not data["decorative"]:
            yield Problem("alt", _("Describe the picture in words, or mark it as decoration."))
        if _FILE_NAME.fullmatch(data["alt"]) or (data["alt"] and data["alt"] == data["media"]):
            yield Problem("alt", _("Describe what the picture shows: this is the name of its file."))

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        shown = min(data["width"] or _COLUMN, _COLUMN)
        return {
            "src": context.picture(data["media"]),
            "alt": "" if data["decorative"] else data["alt"],
            "shown_width": max(shown, 1),
        }

    def say(self, part: Part) -> str:
        data = part.data
        alt = "" if data["decorative"] or not data["alt"] else part.words("[Picture: {alt}]", alt=data["alt"])
        return plain.lines(plain.wrap(part.audience), plain.wrap(alt), plain.wrap(data["caption"]))
