"""Somebody's own words, and whose they are."""

from typing import Any

from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import text

from .base import PEOPLE_GROUP, BlockKind, Part


class Quote(BlockKind):
    kind = "quote"
    name = _("Quotation")
    purpose = _("What somebody said, in their own words, with their permission.")
    icon = "quote"
    group = PEOPLE_GROUP
    fields = (
        text(
            "text", _("What was said"), required=True, longest=600, hint=_("Without quotation marks."),
            missing=_("Enter what was said."),
        ),
        text(
            "attribution", _("Who said it"), required=True, longest=200,
            hint=_("No name where it could harm somebody."), missing=_("Say who said it."),
        ),
    )  # fmt: skip

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"quoted": quoted(data["text"])}

    def say(self, part: Part) -> str:
        return plain.lines(
            plain.wrap(part.audience, "  "),
            plain.wrap(quoted(part.data["text"]), "  "),
            plain.wrap(part.data["attribution"], "  "),
        )


def quoted(text: str) -> str:
    """The words in one pair of curly marks, whether or not they were typed with some."""
    inner = text[1:-1]
    if text[:1] in ("“", '"') and text[-1:] in ("”", '"') and inner.strip() and not set(inner) & set('“”"'):
        text = inner.strip()
    return f"“{text}”" if text else ""
