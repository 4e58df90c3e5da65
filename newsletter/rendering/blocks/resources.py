"""Things to read: for each what it is, how long, and for whom."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, items, text

from .base import TEXT_GROUP, BlockKind, Part

_SHORTENERS = frozenset({"bit.ly", "tinyurl.com", "ow.ly", "t.co", "goo.gl", "is.gd", "buff.ly", "rb.gy", "tiny.cc"})
_TRACKING = re.compile(r"utm_|fbclid$|gclid$|mc_[ce]id$|msclkid$")


class Resources(BlockKind):
    kind = "resources"
    name = _("Reading list")
    purpose = _("Reports, tools and pages to read, with what each is and for whom.")
    icon = "resources"
    group = TEXT_GROUP
    fields = (
        text("heading", _("Heading"), required=True, shortest=3, longest=90, missing=_("Give the list a heading.")),
        items(
            "items",
            _("Entries"),
            text("title", _("Title"), required=True, longest=150, missing=_("Enter the title.")),
            Field(
                name="url", label=_("Address"), type=FieldType.URL, required=True, longest=2000,
                missing=_("Enter the address, beginning with https://."),
            ),
            text("type", _("What it is"), longest=40, hint=_("PDF, web page, video.")),
            text("size", _("How long"), longest=40, hint=_("18 pages, 5 minutes.")),
            text("audience", _("For whom"), longest=120),
            required=True,
            least=1,
            most=30,
            missing=_("Add an entry."),
        ),
    )  # fmt: skip

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        for number, item in enumerate(data["items"]):
            path = f"items.{number}"
            if item["title"].lower().strip(" .") in ("view", "read", "read more", "link", "here", "click here"):
                yield Problem(f"{path}.title", _("Say what the page is called."))
            if item["type"].upper() == "PDF" and not item["size"]:
                yield Problem(f"{path}.size", _("Say how long the PDF is, such as “18 pages”."))
            yield from _check_tracking(item["url"], f"{path}.url")

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        words = context.gettext("For {audience}")
        return {"facts": lambda item: facts(item, words.format(audience=item["audience"]))}

    def say(self, part: Part) -> str:
        rows = [
            plain.lines(
                plain.wrap(item["title"], "• ", "  "),
                plain.wrap(facts(item, part.words("For {audience}", audience=item["audience"])), "  "),
                "  " + item["url"] if item["url"] else "",
            )
            for item in part.data["items"]
        ]
        return part.opened(part.data["heading"], *rows)


def facts(item: dict[str, str], audience: str) -> str:
    """ "PDF, 18 pages. For managers": what is known of an entry."""
    what = ", ".join(filter(None, (item["type"], item["size"])))
    return ". ".join(filter(None, (what, audience if item["audience"] else "")))


def _check_tracking(url: str, path: str) -> Iterator[Problem]:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return
    if host in _SHORTENERS:
        yield Problem(path, _("Use the page's own address: a short one hides where it leads."))
    if any(_TRACKING.match(name) for name, _value in parse_qsl(parts.query)):
        yield Problem(path, _("Take the tracking marks (such as utm_source) off the end of the address."))
