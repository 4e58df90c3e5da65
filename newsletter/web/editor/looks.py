"""What stands round the open section: when it was saved, the ways to look at the mail."""

from datetime import datetime
from typing import Any

from flask import url_for

from newsletter import dates
from newsletter.i18n import gettext as _
from newsletter.models import Block, Issue

_FORMS = ("phone", "desktop", "text", "web")


def saved_words(issue: Issue, now: datetime) -> str:
    """When the words were last saved: "10:42am", with the day where it was another; "" for no words."""
    last = max((block.updated_at for block in issue.blocks), default=None)
    if last is None:
        return ""
    zone = issue.mailing_list.timezone
    local, today = dates.local(last, zone), dates.local(now, zone)
    when = dates.clock_time(local)
    if local.date() == today.date():
        return when
    return _("{when}, {day}").format(when=when, day=dates.short_day(local.date(), year=False))


def looks(issue: Issue, block: Block | None, shown: str) -> list[dict[str, Any]]:
    """The ways to look at the mail, as links that keep the open section."""
    labels = (_("Phone"), _("Desktop"), _("Plain text"), _("Web"))
    block_id = block.id if block else None
    return [
        {
            "label": label,
            "url": url_for("editor.compose", slug=issue.slug, block_id=block_id, look=form, _anchor="preview"),
            "current": form == shown,
        }
        for form, label in zip(_FORMS, labels, strict=True)
    ]


def look_of(asked: str | None) -> str:
    return asked if asked in _FORMS else _FORMS[0]
