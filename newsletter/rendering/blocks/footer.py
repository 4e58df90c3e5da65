"""The foot of an issue: why it came, how to leave, who sent it. All of it is bound."""

from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.personalise import PREFERENCES, UNSUBSCRIBE

from .base import TEXT_GROUP, BlockKind, Part


class Footer(BlockKind):
    kind = "footer"
    name = _("Footer")
    purpose = _("Why people get this, how they leave, and who publishes it. It stands last in every issue.")
    icon = "footer"
    group = TEXT_GROUP
    once = True
    fixed = "last"
    own_ground = True
    listed = False

    def more_values(self, data: dict[str, object], context: object) -> dict[str, object]:
        return {"unsubscribe_url": UNSUBSCRIBE, "preferences_url": PREFERENCES}

    def say(self, part: Part) -> str:
        frame = part.context.frame
        return plain.spaced(
            plain.lines("=" * plain.WIDTH, plain.wrap(frame.why), plain.wrap(part.audience)),
            plain.at(part.words("Unsubscribe"), UNSUBSCRIBE),
            plain.at(part.words("Change what you get"), PREFERENCES),
            plain.at(part.words("Forwarded to you? Get your own"), frame.own_copy_url) if frame.own_copy_url else "",
            plain.at(part.words("Read this issue on the web"), frame.web_url),
            plain.at(part.words("Privacy notice"), frame.privacy_url),
            plain.at(part.words("Accessibility statement"), frame.accessibility_url),
            plain.lines(
                plain.wrap(frame.organisation), plain.wrap(frame.organisation_address),
                plain.wrap(frame.contact_email), plain.wrap(frame.contact_phone),
            ),
        )  # fmt: skip
