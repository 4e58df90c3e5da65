"""Two lists side by side on a wide page, one below the other in the mail."""

from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich
from newsletter.rendering.fields import Field, group_of, strings, text
from newsletter.rendering.fields import rich as rich_field

from .base import TEXT_GROUP, BlockKind, Part


def _side(name: str, label: str) -> Field:
    return group_of(
        name,
        label,
        text("title", _("Title"), required=True, longest=90, missing=_("Give the list a title.")),
        strings("items", _("Lines"), required=True, least=2, most=20, missing=_("Add two lines or more.")),
        required=True,
        missing=_("Fill in both lists."),
    )


class Compare(BlockKind):
    kind = "compare"
    name = _("Two lists")
    purpose = _("Two lists to compare, such as what works well and what is to be improved.")
    icon = "compare"
    group = TEXT_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the lists a heading.")),
        rich_field("intro", _("Introduction"), longest=2000),
        _side("a", _("First list")),
        _side("b", _("Second list")),
    )

    def say(self, part: Part) -> str:
        sides = [
            plain.lines(plain.wrap(side["title"] + ":") if side["title"] else "", plain.bullets(side["items"]))
            for side in (part.data["a"], part.data["b"])
        ]
        return part.opened(part.data["heading"], rich.to_text(part.data["intro"]), *sides)
