"""A course, a meeting, a conference: when, where, what it costs, how to book."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain, when
from newsletter.rendering.content import BlockContent
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, text

from .base import FACTS_GROUP, BlockKind, Part, after_send


class Event(BlockKind):
    kind = "event"
    name = _("Event")
    purpose = _("A course or meeting: when, where, what it costs and how to book.")
    icon = "event"
    group = FACTS_GROUP
    fields = (
        text("title", _("Title"), required=True, shortest=3, longest=120, missing=_("Enter the title.")),
        Field(
            name="start", label=_("Begins"), type=FieldType.MOMENT, required=True,
            missing=_("Enter the day and time when it begins."),
        ),
        Field(
            name="end", label=_("Ends"), type=FieldType.MOMENT, required=True,
            missing=_("Enter the day and time when it ends."),
        ),
        text("place", _("Place"), required=True, longest=120, hint=_("Or “Online”."), missing=_("Enter the place.")),
        text("cost", _("Cost"), longest=80, hint=_("Or “Free”.")),
        Field(name="url", label=_("Where to book"), type=FieldType.URL, longest=2000, schemes=("https", "mailto")),
        text("link_text", _("Words of the link"), longest=120, hint=_("Name the event: “Book a place on …”.")),
    )  # fmt: skip

    def heading(self, data: dict[str, Any], context: Context) -> str:
        return ""

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        start, end = when.parse(data["start"]), when.parse(data["end"])
        if start and end and end.at <= start.at:
            yield Problem("end", _("The event ends before it begins."))
        if data["url"] and not data["link_text"]:
            yield Problem("link_text", _("Write the words of the link, such as “Book a place on …”."))
        if data["link_text"] and not data["url"]:
            yield Problem("url", _("The link has no address."))
        yield from after_send(data["start"], context, "start", _("This begins before the issue is sent."))

    def diary(self, content: BlockContent, data: dict[str, Any], context: Context) -> Iterator[tuple[str, str]]:
        if content.diary or data["title"]:
            yield data["start"], content.diary or data["title"]

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"span": when.span_words(data["start"], data["end"]), "facts": facts(data)}

    def _values(self, content: BlockContent, context: Context) -> dict[str, Any]:
        number = context.events.get(content.id)
        calendar = f"{context.frame.web_url}/events/{number}.ics" if number else ""
        return {**super()._values(content, context), "calendar": calendar}

    def say(self, part: Part) -> str:
        data = part.data
        return plain.lines(
            plain.wrap(data["title"]),
            plain.wrap(part.audience),
            plain.wrap(when.span_words(data["start"], data["end"])),
            plain.wrap(facts(data)),
            plain.at(data["link_text"], plain.address(data["url"])),
        )


def facts(data: dict[str, Any]) -> str:
    """ "Orchard Centre, Larkmere. Free.": where it is and what it costs."""
    return " ".join(plain.sentence(words) for words in (data["place"], data["cost"]) if words)
