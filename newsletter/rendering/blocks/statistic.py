"""One figure, the sentence that it begins, and where it comes from."""

from typing import Any

from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import text

from .base import FACTS_GROUP, BlockKind, Part


class Statistic(BlockKind):
    kind = "statistic"
    name = _("Figure")
    purpose = _("One number that matters, with the sentence that explains it and its source.")
    icon = "statistic"
    group = FACTS_GROUP
    fields = (
        text(
            "value", _("Figure"), required=True, longest=20, hint=_("Such as 17 of 24, or 53%."),
            missing=_("Enter the figure."),
        ),
        text(
            "label", _("What it means"), required=True, longest=300, hint=_("Goes on where the figure stops."),
            missing=_("Say what the figure means."),
        ),
        text("period", _("Period"), required=True, longest=100, missing=_("Say which time the figure is about.")),
        text("source", _("Source"), required=True, longest=150, missing=_("Say where the figure comes from.")),
    )  # fmt: skip

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"origin": origin(data["period"], data["source"], context.gettext("Source: {source}"))}

    def say(self, part: Part) -> str:
        data = part.data
        return plain.lines(
            plain.wrap(part.audience),
            plain.wrap(" ".join(filter(None, (data["value"], data["label"])))),
            plain.wrap(origin(data["period"], data["source"], part.context.gettext("Source: {source}"))),
        )


def origin(period: str, source: str, words: str) -> str:
    """ "Records read in October 2026. Source: the report.": when and where the figure comes from."""
    named = words.format(source=source) if source else ""
    return " ".join(plain.sentence(each) for each in (period, named) if each)
