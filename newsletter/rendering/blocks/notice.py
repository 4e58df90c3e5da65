"""An important change: what kind it is as a word, from when, what it means and what to do."""

from collections.abc import Mapping
from typing import Any

from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich, when
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, group_of, text
from newsletter.rendering.fields import rich as rich_field

from .base import FACTS_GROUP, BlockKind, Part

_WORDS: Mapping[str, str] = {
    "law": "Change in the law",
    "policy": "Change in policy",
    "safety": "Safety notice",
}


class NoticeBlock(BlockKind):
    kind = "notice"
    name = _("Notice")
    purpose = _("An important change that readers must act on. Two in an issue at most.")
    icon = "notice"
    group = FACTS_GROUP
    fields = (
        Field(
            name="category",
            label=_("Kind of change"),
            type=FieldType.CHOICE,
            required=True,
            choices=tuple((name, _(words)) for name, words in _WORDS.items()),
            missing=_("Choose the kind of change."),
        ),
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the notice a heading.")),
        rich_field("changed", _("What has changed"), required=True, longest=3000, missing=_("Say what has changed.")),
        Field(
            name="effective_date",
            label=_("In force from"),
            type=FieldType.DATE,
            required=True,
            month_allowed=True,
            missing=_("Enter the date from which it is in force."),
        ),
        rich_field(
            "action",
            _("What readers need to do"),
            required=True,
            longest=2000,
            missing=_("Say what readers need to do."),
        ),
        group_of(
            "link",
            _("Where to read more"),
            text("title", _("Words of the link"), required=True, longest=120, missing=_("Say what the link leads to.")),
            Field(name="url", label=_("Address"), type=FieldType.URL, required=True, longest=2000),
        ),
    )
    own_ground = True
    diary_field = "effective_date"

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"category_word": context.gettext(_WORDS[data["category"]]) if data["category"] else ""}

    def say(self, part: Part) -> str:
        data = part.data
        word = self.more_values(data, part.context)["category_word"]
        title = ": ".join(filter(None, (word, data["heading"])))
        date = when.words(data["effective_date"])
        return plain.spaced(
            plain.lines(
                plain.wrap(title, "*** ", "    "),
                "-" * plain.WIDTH,
                plain.wrap(part.audience),
                plain.wrap(part.words("In force from {date}", date=date)) if date else "",
            ),
            rich.to_text(data["changed"]),
            plain.lines(part.words("What you need to do:"), rich.to_text(data["action"])) if data["action"] else "",
            plain.at(data["link"]["title"], data["link"]["url"]),
        )
