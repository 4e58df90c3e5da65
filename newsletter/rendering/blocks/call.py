"""The call for contributions to the next issue. Its deadline is the next issue's own, and never typed."""

from collections.abc import Iterator
from typing import Any

from newsletter import dates
from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain, rich
from newsletter.rendering.content import BlockContent
from newsletter.rendering.context import Context
from newsletter.rendering.fields import rich as rich_field
from newsletter.rendering.fields import text

from .base import ASK_GROUP, BlockKind, Part


class Call(BlockKind):
    kind = "call"
    name = _("Call for contributions")
    purpose = _("Asks readers for news for the next issue, with its deadline.")
    icon = "call"
    group = ASK_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the call a heading.")),
        rich_field("intro", _("Text"), required=True, longest=2000, missing=_("Say what you would like to hear.")),
        text("button", _("Words on the button"), longest=60, hint=_("“Send us your news” if you leave it empty.")),
    )
    once = True
    own_ground = True

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        frame = context.frame
        if frame.next_deadline is None:
            yield Problem("deadline", _("There is no next issue with a deadline: plan it, or take this section out."))
        elif frame.planned_send is not None and frame.next_deadline <= frame.planned_send:
            yield Problem("deadline", _("The next issue's deadline is over before this issue is sent."))
        if not frame.contribute_url:
            yield Problem("url", _("The next issue has no page for contributions yet."))

    def diary(self, content: BlockContent, data: dict[str, Any], context: Context) -> Iterator[tuple[str, str]]:
        instant = context.frame.next_deadline
        if instant is not None:
            at = dates.local(instant, context.frame.timezone)
            words = _deadline_words(context)
            yield self.bound_date(context), f"{words}, {dates.clock_time(at)}"

    def bound_date(self, context: Context) -> str:
        instant = context.frame.next_deadline
        return dates.local(instant, context.frame.timezone).strftime("%Y-%m-%dT%H:%M") if instant else ""

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        instant = context.frame.next_deadline
        return {
            "button": data["button"] or context.gettext("Send us your news"),
            "deadline": context.deadline,
            "deadline_label": _deadline_words(context),
            "deadline_iso": instant.isoformat() if instant else "",
        }

    def say(self, part: Part) -> str:
        more, frame, rule = self.more_values(part.data, part.context), part.context.frame, "=" * plain.WIDTH
        deadline = [f"{more['deadline_label']}:", f">>> {more['deadline']}"] if more["deadline"] else []
        boxed = plain.lines(rule, plain.wrap(part.data["heading"]), rule)
        return plain.spaced(
            plain.lines(boxed, plain.wrap(part.audience), rich.to_text(part.data["intro"])),
            "\n".join(deadline),
            plain.at(more["button"], frame.contribute_url or ""),
            plain.lines(
                plain.wrap(part.words("No account is needed. You can also write to")), plain.wrap(frame.contact_email)
            )
            if frame.contact_email
            else "",
        )


def _deadline_words(context: Context) -> str:
    label = context.frame.next_issue_label
    if label:
        return context.gettext("Deadline for the {issue} issue").format(issue=label)
    return context.gettext("Deadline for the next issue")
