"""A picture of our own, described in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import text

from .base import TEXT_GROUP, BlockKind, Part
from .pictured import ALT, DECORATIVE, MEDIA, check_alt, shown

_COLUMN = 536
#: Once typed by people; a picture's name says its size now.
_GIVEN_UP = frozenset({"width", "height"})


class Image(BlockKind):
    kind = "image"
    name = _("Picture")
    purpose = _("A photograph or drawing, with a description for people who cannot see it.")
    icon = "image"
    group = TEXT_GROUP
    fields = (MEDIA, ALT, DECORATIVE, text("caption", _("Caption"), longest=300))

    def clean(self, data: Any) -> dict[str, Any]:
        if isinstance(data, Mapping):
            data = {name: value for name, value in data.items() if name not in _GIVEN_UP}
        return super().clean(data)

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        yield from check_alt(data)

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"alt": "" if data["decorative"] else data["alt"], **shown(data["media"], context, _COLUMN)}

    def say(self, part: Part) -> str:
        data = part.data
        alt = "" if data["decorative"] or not data["alt"] else part.words("[Picture: {alt}]", alt=data["alt"])
        return plain.lines(plain.wrap(part.audience), plain.wrap(alt), plain.wrap(data["caption"]))
