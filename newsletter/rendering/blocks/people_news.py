"""Who joins and who leaves."""

from collections.abc import Iterator
from typing import Any

from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich, when
from newsletter.rendering.content import BlockContent
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, items, text
from newsletter.rendering.fields import rich as rich_field

from .base import PEOPLE_GROUP, BlockKind, Part

_OPENING = {"joins": "Joins {date}", "leaves": "Leaves {date}", "moves": "Moves {date}", "": "{date}"}
_DIARY = {"joins": "{name} joins", "leaves": "{name} leaves", "moves": "{name} moves", "": "{name}"}


class PeopleNews(BlockKind):
    kind = "people_news"
    name = _("People")
    purpose = _("People who join, leave or move, with a word of welcome or thanks.")
    icon = "people"
    group = PEOPLE_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the news a heading.")),
        items(
            "items",
            _("People"),
            text("name", _("Name"), required=True, longest=100, missing=_("Enter the person's name.")),
            text("role", _("Role"), required=True, longest=150, missing=_("Enter the person's role.")),
            Field(
                name="change", label=_("What changes"), type=FieldType.CHOICE, required=True,
                choices=(("joins", _("Joins")), ("leaves", _("Leaves")), ("moves", _("Moves"))),
                missing=_("Say whether the person joins, leaves or moves."),
            ),
            Field(
                name="date", label=_("Date"), type=FieldType.DATE, required=True, month_allowed=True,
                missing=_("Enter the date of the change."),
            ),
            rich_field("text", _("Text"), longest=2000),
            required=True,
            least=1,
            most=20,
            missing=_("Add a person."),
        ),
    )  # fmt: skip

    def diary(self, content: BlockContent, data: dict[str, Any], context: Context) -> Iterator[tuple[str, str]]:
        for item in data["items"]:
            if item["name"]:
                yield item["date"], context.gettext(_DIARY[item["change"]]).format(name=item["name"])

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"facts": lambda item: facts(item, context)}

    def say(self, part: Part) -> str:
        rows = [
            plain.lines(plain.wrap(item["name"]), plain.wrap(facts(item, part.context)), rich.to_text(item["text"]))
            for item in part.data["items"]
        ]
        return part.opened(part.data["heading"], *rows)


def facts(item: dict[str, str], context: Context) -> str:
    """ "Independent Scrutineer. Leaves Friday 29 January 2027.": what is known of the change."""
    date = when.words(item["date"])
    change = context.gettext(_OPENING[item["change"]]).format(date=date).strip() if date or item["change"] else ""
    return " ".join(plain.sentence(words) for words in (item["role"], change) if words)
