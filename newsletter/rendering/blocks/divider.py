"""A line between two subjects that have no headings of their own."""

from typing import Any

from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.content import BlockContent
from newsletter.rendering.context import Context

from .base import TEXT_GROUP, BlockKind, Part


class Divider(BlockKind):
    kind = "divider"
    name = _("Line")
    purpose = _("A line where the subject changes and there is no heading. Sections with headings have theirs already.")
    icon = "divider"
    group = TEXT_GROUP
    listed = False

    def heading(self, data: dict[str, Any], context: Context) -> str:
        return ""

    def summary(self, content: BlockContent) -> str:
        return self.name

    def say(self, part: Part) -> str:
        return plain.spaced("* * *", plain.wrap(part.audience))
