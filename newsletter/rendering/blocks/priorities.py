"""A sentence that opens a list, the list, and a closing sentence."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich
from newsletter.rendering.context import Context
from newsletter.rendering.fields import rich as rich_field
from newsletter.rendering.fields import strings, text

from .base import TEXT_GROUP, BlockKind, Part


class Priorities(BlockKind):
    kind = "priorities"
    name = _("Priorities")
    purpose = _("A list with a sentence before it, such as the priorities for the year.")
    icon = "priorities"
    group = TEXT_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the list a heading.")),
        text(
            "lead_in",
            _("Sentence before the list"),
            required=True,
            longest=240,
            hint=_("It ends with a colon."),
            missing=_("Write the sentence that opens the list."),
        ),
        strings("items", _("Lines"), required=True, least=2, most=10, missing=_("Add two lines or more.")),
        rich_field("closing", _("After the list"), longest=2000),
    )

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        if data["lead_in"] and not data["lead_in"].endswith(":"):
            yield Problem("lead_in", _("End the sentence before the list with a colon."))

    def say(self, part: Part) -> str:
        data = part.data
        listed = plain.lines(plain.wrap(data["lead_in"]), plain.bullets(data["items"]))
        return part.opened(data["heading"], listed, rich.to_text(data["closing"]))
