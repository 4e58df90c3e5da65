"""The contents: every heading that opens a new subject, linked to its place on the web page.

Links inside a mail are unreliable (several clients drop anchors), so the mail's lead to the web.
"""

from typing import Any

from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, text

from .base import FACTS_GROUP, BlockKind, Part


class InThisIssue(BlockKind):
    kind = "in_this_issue"
    name = _("In this issue")
    purpose = _("The contents, made from the headings, with the deadline for the next issue.")
    icon = "contents"
    group = FACTS_GROUP
    fields = (
        text("heading", _("Heading"), longest=90, hint=_("“In this issue” if you leave it empty.")),
        Field(name="max_items", label=_("Lines at most"), type=FieldType.NUMBER, least=3, most=30),
    )
    once = True
    listed = False

    def heading(self, data: dict[str, Any], context: Context) -> str:
        return data.get("heading") or context.gettext("In this issue")

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {
            "heading": self.heading(data, context),
            "chapters": context.chapters[: data["max_items"] or None],
            "deadline": context.deadline,
        }

    def say(self, part: Part) -> str:
        rows = [
            plain.wrap(chapter.title, f"{number:>2}. ", "    ")
            for number, chapter in enumerate(part.context.chapters[: part.data["max_items"] or None], 1)
        ]
        share = part.words("Something to share? The deadline for the next issue is")
        deadline = plain.lines(plain.wrap(share), f"{part.context.deadline}.") if part.context.deadline else ""
        return part.opened(self.heading(part.data, part.context), "\n".join(rows), deadline)
