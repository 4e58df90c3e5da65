"""Who did what, when: read by administrators, changed by nobody."""

import re
from datetime import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ... import dates
from ...config import current_settings
from ...domain.staff import keyset
from ...domain.staff.permissions import Permission, require
from ...i18n import gettext as _
from ...models import Activity
from ..access import signed_in_account, staff
from .room import blueprint

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$")
_DIGEST = re.compile(r"[0-9a-f]{40,}")


@blueprint.get("/desk/activity", endpoint="activity")
@staff(Permission.MANAGE_INSTALLATION)
def log() -> ResponseReturnValue:
    """Newest first."""
    require(signed_in_account(), Permission.MANAGE_INSTALLATION)
    page = keyset.newest_first(select(Activity), Activity.id, request.args.get("before", type=int))
    return render_template("admin/activity.html", page=page, words=_words, detail=_detail)


def _words(entry: Activity) -> str:
    """ "issue.role_changed" as "Issue: role changed"."""
    thing, _dot, done = entry.action.partition(".")
    return f"{thing.replace('_', ' ').capitalize()}: {done.replace('_', ' ')}"


def _word(value: object) -> str:
    """One value as people read it: an instant in the installation's time, yes or no, the start of a digest."""
    match value:
        case None:
            return ""
        case bool():
            return _("yes") if value else _("no")
        case str() if _INSTANT.match(value):
            return dates.moment(datetime.fromisoformat(value), current_settings().timezone)
        case str() if _DIGEST.fullmatch(value):
            return f"{value[:12]}…"
    return str(value)


def _detail(entry: Activity) -> str:
    """The few words that the record holds, such as "role: editor"."""
    parts = []
    for name, value in entry.detail.items():
        shown = ", ".join(map(_word, value)) if isinstance(value, list) else _word(value)
        if shown:
            parts.append(f"{name.replace('_', ' ')}: {shown}")
    return "; ".join(parts)
