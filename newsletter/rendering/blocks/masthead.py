"""The head of an issue: who publishes it, its name, which issue it is. All of it is bound."""

from typing import Any

from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context

from .base import TEXT_GROUP, BlockKind, Part


class Masthead(BlockKind):
    kind = "masthead"
    name = _("Masthead")
    purpose = _("The name of the newsletter and of this issue. It stands first in every issue.")
    icon = "masthead"
    group = TEXT_GROUP
    once = True
    fixed = "first"
    own_ground = True
    listed = False

    def heading(self, data: dict[str, Any], context: Context) -> str:
        return ""

    def say(self, part: Part) -> str:
        frame = part.context.frame
        logo = frame.logo
        picture = part.words("[Picture: {alt}]", alt=logo.alt) if logo and logo.alt and not logo.decorative else ""
        title = ", ".join(filter(None, (frame.publication, frame.label)))
        return plain.spaced(
            plain.lines(plain.wrap(picture), plain.wrap(frame.organisation)),
            plain.lines(plain.wrap(title), "=" * plain.WIDTH, plain.wrap(frame.strapline), plain.wrap(part.audience)),
            plain.at(part.words("Read this issue on the web"), frame.web_url),
        )
