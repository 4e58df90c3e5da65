"""What to do, one thing after the other."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich
from newsletter.rendering.context import Context
from newsletter.rendering.fields import items, text
from newsletter.rendering.fields import rich as rich_field

from .base import TEXT_GROUP, BlockKind, Part

_NUMBERED = ("1.", "1)", "1:")


class Steps(BlockKind):
    kind = "steps"
    name = _("Steps")
    purpose = _("What to do in order: the steps are numbered by themselves.")
    icon = "steps"
    group = TEXT_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the steps a heading.")),
        rich_field("intro", _("Introduction"), longest=2000),
        items(
            "items",
            _("Steps"),
            text("step", _("Step"), required=True, longest=160, missing=_("Say what to do.")),
            rich_field("detail", _("More about it"), longest=1000),
            required=True,
            least=2,
            most=12,
            missing=_("Add two steps or more."),
        ),
    )

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        for number, item in enumerate(data["items"]):
            if item["step"].lower().startswith((*_NUMBERED, "step 1")):
                yield Problem(f"items.{number}.step", _("Leave the number out: the steps are numbered by themselves."))

    def say(self, part: Part) -> str:
        data = part.data
        room = "    " if len(data["items"]) > 9 else "   "
        entries = [
            plain.lines(
                plain.wrap(item["step"], f"{number}.".ljust(len(room)), room), rich.to_text(item["detail"], room)
            )
            for number, item in enumerate(data["items"], 1)
        ]
        return part.opened(data["heading"], rich.to_text(data["intro"]), *entries)
