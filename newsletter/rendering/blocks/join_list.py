"""An invitation to another list: one press for whoever reads this in their own mail, the sign-up form for others."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich
from newsletter.rendering.content import Joinable
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, text
from newsletter.rendering.fields import rich as rich_field
from newsletter.rendering.personalise import PREFERENCES

from .base import ASK_GROUP, BlockKind, Part


class JoinList(BlockKind):
    kind = "join_list"
    name = _("Join this list")
    purpose = _("Offers readers another of your lists, with a button that adds it.")
    icon = "join"
    group = ASK_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the offer a heading.")),
        rich_field("intro", _("Text"), longest=2000, hint=_("What they would get that they do not get now.")),
        Field(
            name="list", label=_("List"), type=FieldType.LIST, required=True, longest=80,
            missing=_("Choose the list that readers can join."),
        ),
        text("button", _("Words on the button"), longest=60, hint=_("“Join this list” if you leave it empty.")),
    )  # fmt: skip

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        if data["list"] and _offered(data, context) is None:
            yield Problem("list", _("Readers of this issue cannot join that list: choose another."))

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        offered, slug = _offered(data, context), data["list"]
        form = context.frame.subscribe_url
        return {
            "button": data["button"] or context.gettext("Join this list"),
            "list_name": offered.name if offered else "",
            "list_rhythm": offered.frequency if offered else "",
            # What follows the merge field is the page behind each reader's own link.
            "join_url": f"{PREFERENCES}/join/{slug}" if offered else "",
            "form_url": f"{form}?list={slug}" if offered and form else "",
        }

    def say(self, part: Part) -> str:
        more = self.more_values(part.data, part.context)
        return part.opened(
            part.data["heading"],
            rich.to_text(part.data["intro"]),
            plain.wrap(", ".join(filter(None, (more["list_name"], more["list_rhythm"])))),
            plain.at(more["button"], more["join_url"]),
        )


def _offered(data: dict[str, Any], context: Context) -> Joinable | None:
    """The list as the frame offers it; None where it has ended, is not public, or is the issue's own."""
    return next((one for one in context.frame.joinable if one.slug == data["list"]), None)
