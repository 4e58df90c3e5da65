"""Who took subscribers out as a file, when and why: all of it in one place."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ...domain.staff import keyset
from ...domain.staff.permissions import Permission, require
from ...domain.subscribers.exporting import COLUMN_WORDS
from ...models import SubscriberExport
from ..access import signed_in_account, staff
from .room import blueprint

_MANAGE = Permission.MANAGE_INSTALLATION


@blueprint.get("/desk/settings/exports")
@staff(_MANAGE)
def exports() -> ResponseReturnValue:
    """Newest first."""
    require(signed_in_account(), _MANAGE)
    before = request.args.get("before", type=int)
    found = keyset.newest_first(select(SubscriberExport), SubscriberExport.id, before)
    return render_template("admin/exports.html", page=found, paged=before is not None, column_words=COLUMN_WORDS)
