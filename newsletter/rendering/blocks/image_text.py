"""A picture with words beside it; on a phone the words stand below it."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich
from newsletter.rendering.context import Context
from newsletter.rendering.fields import rich as rich_field
from newsletter.rendering.fields import text

from .base import TEXT_GROUP, BlockKind, Part
from .pictured import ALT, DECORATIVE, MEDIA, check_alt, shown

_BESIDE = 168


class ImageText(BlockKind):
    kind = "image_text"
    name = _("Picture with text")
    purpose = _("A small picture with a paragraph beside it: a building, a cover, a portrait.")
    icon = "image_text"
    group = TEXT_GROUP
    own_ground = True  # two columns are a section of their own
    fields = (
        text("heading", _("Heading"), shortest=3, longest=90),
        MEDIA,
        ALT,
        DECORATIVE,
        rich_field(
            "text", _("Text"), required=True, longest=2000, missing=_("Write the text that stands beside the picture.")
        ),
    )

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        yield from check_alt(data)

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"alt": "" if data["decorative"] else data["alt"], **shown(data["media"], context, _BESIDE)}

    def say(self, part: Part) -> str:
        data = part.data
        alt = "" if data["decorative"] or not data["alt"] else part.words("[Picture: {alt}]", alt=data["alt"])
        return part.opened(data["heading"], plain.wrap(alt), rich.to_text(data["text"]))
