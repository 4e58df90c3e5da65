"""Every date that the issue speaks of, in one table: collected from the other blocks, with rows of its own."""

from collections.abc import Iterator
from typing import Any

from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.content import BlockContent
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, items, text

from .base import FACTS_GROUP, BlockKind, Part

_COLUMN = 18


class KeyDates(BlockKind):
    kind = "key_dates"
    name = _("Key dates")
    purpose = _("All dates of the issue in one table, made from its sections; you can add more.")
    icon = "dates"
    group = FACTS_GROUP
    fields = (
        text("heading", _("Heading"), longest=90, hint=_("“Key dates” if you leave it empty.")),
        items(
            "manual",
            _("Other dates"),
            Field(
                name="date", label=_("Date"), type=FieldType.DATE, required=True, month_allowed=True,
                missing=_("Enter the date."),
            ),
            text("what", _("What happens"), required=True, longest=150, missing=_("Say what happens on that day.")),
        ),
    )  # fmt: skip
    once = True

    def summary(self, content: BlockContent) -> str:
        """Its heading: the first words in it may be those of a date."""
        return str(content.data.get("heading") or self.name)

    def heading(self, data: dict[str, Any], context: Context) -> str:
        return data.get("heading") or context.gettext("Key dates")

    def diary(self, content: BlockContent, data: dict[str, Any], context: Context) -> Iterator[tuple[str, str]]:
        for row in data["manual"]:
            yield row["date"], row["what"]

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        rows = [
            {
                "label": row.date.short(year=not context.one_year),
                "iso": row.date.iso,
                "what": row.what,
                "deadline": row.deadline,
            }
            for row in context.dates
        ]
        return {"heading": self.heading(data, context), "rows": rows, "note": _note(context)}

    def say(self, part: Part) -> str:
        pad = " " * _COLUMN
        rows = [
            plain.wrap(row.what, f"{row.date.short():<{_COLUMN}}", pad) or row.date.short()
            for row in part.context.dates
        ]
        zone = part.words("All times are {zone}.", zone=part.context.zone)
        return part.opened(self.heading(part.data, part.context), zone if rows else "", "\n".join(rows))


def _note(context: Context) -> str:
    """The caption: the year, where all rows share one and so need not repeat it, and the time zone."""
    if context.one_year:
        words = context.gettext("All dates are in {year}, and times are {zone}.")
        return words.format(year=context.one_year, zone=context.zone)
    return context.gettext("All times are {zone}.").format(zone=context.zone)
