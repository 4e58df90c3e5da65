"""A question to readers, with a way to answer and a closing time."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich, when
from newsletter.rendering.content import BlockContent
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
            name="own_page", label=_("People answer on a page of this newsletter"), type=FieldType.FLAG, public=False,
            hint=_("It opens with the issue and closes by itself. The answers stand under Contributions."),
        ),
        Field(
            name="named", label=_("On that page, they must give their name and email address"), type=FieldType.FLAG,
            public=False, hint=_("Otherwise they may answer without saying who they are."),
        ),
        Field(
            name="url", label=_("Where people answer"), type=FieldType.URL, longest=2000,
            schemes=("https", "mailto"), hint=_("The address of a form, or an email address."),
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
        if not data["own_page"] and not data["url"]:
            yield Problem("url", _("Enter the address where people answer, or use a page of this newsletter."))
        if data["own_page"] and _timed(data["closes"]) and not context.instant(data["closes"]):
            yield Problem("closes", _("The clocks go forward then, and this time does not exist: choose another."))
        yield from after_send(
            data["closes"], context, "closes", _("This closes before the issue is sent: nobody could answer.")
        )

    def _values(self, content: BlockContent, context: Context) -> dict[str, Any]:
        values = super()._values(content, context)
        return {**values, "url": _address(content, values, context)}

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"closes_instant": context.instant(data["closes"])}

    def say(self, part: Part) -> str:
        data = part.data
        closes = when.words(data["closes"])
        return part.opened(
            data["heading"],
            rich.to_text(data["question"]),
            plain.wrap(part.words("Closes {moment}", moment=closes)) if closes else "",
            plain.at(data["button"], plain.address(_address(part.content, data, part.context))),
            rich.to_text(data["next"]),
        )


def _address(content: BlockContent, data: dict[str, Any], context: Context) -> str:
    """Where the button leads: the section's own page, whose address is the section's id, or what was typed."""
    return f"{context.frame.views_base}{content.id}" if data["own_page"] else str(data["url"])


def _timed(value: str) -> bool:
    found = when.parse(value)
    return found is not None and found.timed
