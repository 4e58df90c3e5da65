"""Who did what, when: read by administrators, changed by nobody."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ...domain.staff import keyset
from ...domain.staff.permissions import Permission, require
from ...models import Activity
from ..access import signed_in_account, staff
from .room import blueprint


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


def _detail(entry: Activity) -> str:
    """The few words that the record holds, such as "role: editor"."""
    parts = []
    for name, value in entry.detail.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        if shown not in (None, ""):
            parts.append(f"{name.replace('_', ' ')}: {shown}")
    return "; ".join(parts)
