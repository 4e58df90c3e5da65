"""What was found: an introduction, then a short heading and a few sentences for each finding."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich
from newsletter.rendering.context import Context
from newsletter.rendering.fields import items, text
from newsletter.rendering.fields import rich as rich_field

from .base import TEXT_GROUP, BlockKind, Part


class Findings(BlockKind):
    kind = "findings"
    name = _("Findings")
    purpose = _("Several findings or lessons, each with a short heading of its own.")
    icon = "findings"
    group = TEXT_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the findings a heading.")),
        rich_field("intro", _("Introduction"), longest=2000),
        items(
            "items",
            _("Findings"),
            text("subheading", _("Finding"), required=True, longest=120, missing=_("Say the finding in a few words.")),
            rich_field("text", _("Text"), required=True, longest=3000, missing=_("Write what was found.")),
            required=True,
            least=2,
            most=20,
            missing=_("Add two findings or more."),
        ),
    )

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        for number, item in enumerate(data["items"]):
            if item["subheading"].endswith("."):
                yield Problem(f"items.{number}.subheading", _("A heading has no full stop at its end."))

    def say(self, part: Part) -> str:
        entries = [
            plain.lines(plain.wrap(item["subheading"], "- ", "  "), rich.to_text(item["text"], "  "))
            for item in part.data["items"]
        ]
        return part.opened(part.data["heading"], rich.to_text(part.data["intro"]), *entries)
