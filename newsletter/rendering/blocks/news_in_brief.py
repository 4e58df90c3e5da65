"""Short news: for each a headline, a sentence or two, and where to read on."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, items, text

from .base import TEXT_GROUP, BlockKind, Part

MOST_WORDS = 40


class NewsInBrief(BlockKind):
    kind = "news_in_brief"
    name = _("News in brief")
    purpose = _("Two to six short items from partners, each with a headline and a link.")
    icon = "brief"
    group = TEXT_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the news a heading.")),
        items(
            "items",
            _("News"),
            text("headline", _("Headline"), required=True, longest=90, missing=_("Enter the headline.")),
            text(
                "text", _("What is new"), required=True, longest=400, hint=_("40 words at most."),
                missing=_("Say in a sentence or two what is new."),
            ),
            Field(
                name="url", label=_("Where to read on"), type=FieldType.URL, longest=2000,
                hint=_("The headline becomes the link."),
            ),
            text("agency", _("From which agency"), longest=120),
            required=True,
            least=2,
            most=6,
            missing=_("Add two pieces of news or more."),
        ),
    )  # fmt: skip

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        for number, item in enumerate(data["items"]):
            if item["headline"].endswith("."):
                yield Problem(f"items.{number}.headline", _("A heading has no full stop at its end."))
            counted = len(item["text"].split())
            if counted > MOST_WORDS:
                words = _("Use {most} words or fewer; there are {number}. Longer news is a section of its own.")
                yield Problem(f"items.{number}.text", words.format(most=MOST_WORDS, number=counted))

    def say(self, part: Part) -> str:
        entries = [
            plain.lines(
                plain.wrap(item["headline"], "- ", "  "),
                plain.wrap(byline(item, part.context), "  "),
                plain.wrap(item["text"], "  "),
                "  " + item["url"] if item["url"] else "",
            )
            for item in part.data["items"]
        ]
        return part.opened(part.data["heading"], *entries)

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        return {"byline": lambda item: byline(item, context)}


def byline(item: dict[str, str], context: Context) -> str:
    """ "From Larkmere Housing", or ""."""
    return context.gettext("From {agency}").format(agency=item["agency"]) if item["agency"] else ""
