"""A question to readers, with a way to answer and a closing time."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich, when
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, text
from newsletter.rendering.fields import rich as rich_field

from .base import ASK_GROUP, BlockKind, Part, after_send


class AskViews(BlockKind):
    kind = "ask_views"
    name = _("Ask for views")
    purpose = _("A question to readers, a button to answer it, and when it closes.")
    icon = "ask"
    group = ASK_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the question a heading.")),
        rich_field("question", _("Question"), required=True, longest=3000, missing=_("Write what you ask.")),
        Field(
            name="url", label=_("Where people answer"), type=FieldType.URL, required=True, longest=2000,
            schemes=("https", "mailto"), hint=_("The address of a form, or an email address."),
            missing=_("Enter the address where people answer."),
        ),
        text("button", _("Words on the button"), required=True, longest=60, missing=_("Enter the button's words.")),
        Field(
            name="closes", label=_("Closes"), type=FieldType.MOMENT, required=True,
            missing=_("Enter the day and time when it closes."),
        ),
        rich_field("next", _("What happens next"), longest=2000),
    )  # fmt: skip
    diary_field = "closes"

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        yield from after_send(
            data["closes"], context, "closes", _("This closes before the issue is sent: nobody could answer.")
        )

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"closes_instant": context.instant(data["closes"])}

    def say(self, part: Part) -> str:
        data = part.data
        closes = when.words(data["closes"])
        return part.opened(
            data["heading"],
            rich.to_text(data["question"]),
            plain.wrap(part.words("Closes {moment}", moment=closes)) if closes else "",
            plain.at(data["button"], plain.address(data["url"])),
            rich.to_text(data["next"]),
        )
