"""A heading and some paragraphs: most of any newsletter."""

from newsletter.i18n import gettext as _
from newsletter.rendering import rich
from newsletter.rendering.fields import rich as rich_field
from newsletter.rendering.fields import text

from .base import TEXT_GROUP, BlockKind, Part


class Section(BlockKind):
    kind = "section"
    name = _("Section")
    purpose = _("A heading and text: news, an explanation, a story.")
    icon = "section"
    group = TEXT_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the section a heading.")),
        text("source_agency", _("Who it comes from"), longest=100, hint=_("The agency or team, if it is not you.")),
        rich_field("body", _("Text"), required=True, missing=_("Write the text of the section.")),
    )

    def say(self, part: Part) -> str:
        data = part.data
        byline = part.words("From {agency}", agency=data["source_agency"]) if data["source_agency"] else ""
        return part.opened(data["heading"], rich.to_text(data["body"]), byline=byline)
