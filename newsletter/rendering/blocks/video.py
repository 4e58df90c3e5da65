"""A film that is watched elsewhere: a picture from it, a link, and the words for people who cannot see or hear it."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, text

from .base import TEXT_GROUP, BlockKind, Part
from .pictured import MEDIA, shown

_COLUMN = 536


class Video(BlockKind):
    kind = "video"
    name = _("Video link")
    purpose = _("A film to watch elsewhere, with its length and a transcript.")
    icon = "video"
    group = TEXT_GROUP
    fields = (
        text(
            "title", _("What the film is called"), required=True, shortest=3, longest=120,
            missing=_("Say what the film is called."),
        ),
        Field(
            name="url", label=_("Where to watch it"), type=FieldType.URL, required=True, longest=2000,
            missing=_("Enter the address where people watch it."),
        ),
        text(
            "length", _("How long"), required=True, longest=60, hint=_("Such as: 3 minutes, with subtitles."),
            missing=_("Say how long it takes."),
        ),
        Field(
            name="transcript", label=_("Where its transcript is"), type=FieldType.URL, required=True, longest=2000,
            hint=_("All that is said and shown, as a page to read."),
            missing=_("Enter the address of the transcript: some people cannot see or hear the film."),
        ),
        MEDIA,
    )  # fmt: skip

    def heading(self, data: dict[str, Any], context: Context) -> str:
        return ""

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        if data["url"] and data["url"] == data["transcript"]:
            yield Problem("transcript", _("This is the address of the film: a transcript is a page to read."))

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {**_words(data, context), **shown(data["media"], context, _COLUMN)}

    def say(self, part: Part) -> str:
        data, words = part.data, _words(part.data, part.context)
        return plain.lines(
            plain.wrap(data["title"]),
            plain.wrap(part.audience),
            plain.wrap(words["facts"]),
            plain.at(words["watch"], data["url"]) if data["url"] else "",
            plain.at(words["read"], data["transcript"]) if data["transcript"] else "",
        )


def _words(data: dict[str, Any], context: Context) -> dict[str, str]:
    """The words of the two links, and what is known of the film."""
    title = data["title"]
    return {
        "watch": context.gettext("Watch the film “{title}”").format(title=title),
        "read": context.gettext("Read the transcript of “{title}”").format(title=title),
        "facts": context.gettext("Film, {length}").format(length=data["length"]) if data["length"] else "",
    }
