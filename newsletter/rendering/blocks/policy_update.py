"""Procedures that change: from when, which chapters, where to read them."""

from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich, when
from newsletter.rendering.fields import Field, FieldType, group_of, strings, text
from newsletter.rendering.fields import rich as rich_field

from .base import FACTS_GROUP, BlockKind, Part


def _link(name: str, label: str, hint: str) -> Field:
    return group_of(
        name,
        label,
        text("title", _("Words of the link"), required=True, longest=120, missing=_("Say what the link leads to.")),
        Field(name="url", label=_("Address"), type=FieldType.URL, required=True, longest=2000),
        hint=hint,
    )


class PolicyUpdate(BlockKind):
    kind = "policy_update"
    name = _("Policy update")
    purpose = _("Policies or procedures that change: the date, the chapters, where to read them.")
    icon = "policy"
    group = FACTS_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the update a heading.")),
        rich_field("what", _("What changes"), required=True, longest=3000, missing=_("Say what changes.")),
        Field(
            name="live_date", label=_("Live from"), type=FieldType.DATE, required=True, month_allowed=True,
            missing=_("Enter the date from which it is live."),
        ),
        strings("chapters", _("Chapters that change"), most=30, longest=160),
        _link("link", _("Where to read it"), ""),
        _link("register", _("Where to sign up for changes"), ""),
    )  # fmt: skip
    diary_field = "live_date"

    def say(self, part: Part) -> str:
        data = part.data
        date = when.words(data["live_date"])
        return part.opened(
            data["heading"],
            plain.wrap(part.words("Live from {date}", date=date)) if date else "",
            rich.to_text(data["what"]),
            plain.bullets(data["chapters"]),
            plain.at(data["link"]["title"], data["link"]["url"]),
            plain.at(data["register"]["title"], data["register"]["url"]),
        )
