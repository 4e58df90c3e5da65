"""Mails to one person, and how each fared."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, select

from ... import clock
from ...db import db, transaction
from ...delivery.notices import outbox
from ...domain.staff import keyset
from ...domain.staff.activity import record
from ...domain.staff.permissions import ROLE_PERMISSIONS, Permission, may, may_anywhere
from ...errors import Conflict, NotFound
from ...i18n import gettext as _
from ...models import Notice
from ...states import NoticeState
from ..access import signed_in_account, staff
from ..notice_names import NAMES
from ..tags import tag_of
from .room import blueprint

_VIEW = Permission.VIEW_NOTICES
#: A person may have these tried again. What was accepted is not sent twice, and what waits goes by itself.
_RETRIED = (NoticeState.REFUSED, NoticeState.UNSURE, NoticeState.DEFERRED)


def _mine() -> Select[Notice]:
    """The notices one may see: all, or those of one's lists."""
    me = signed_in_account()
    if may(me, _VIEW):
        return select(Notice)
    lists = [one.list_id for one in me.memberships if _VIEW in ROLE_PERMISSIONS[one.role]]
    return select(Notice).where(Notice.list_id.in_(lists))


@blueprint.get("/desk/notices", endpoint="notices")
@staff(_VIEW)
def all_notices() -> ResponseReturnValue:
    """Newest first; `?state=` shows those of one state."""
    counted = _mine().with_only_columns(Notice.state, func.count(), maintain_column_froms=True).group_by(Notice.state)
    counts = {row[0]: row[1] for row in db.session.execute(counted)}
    asked = request.args.get("state", "")
    chosen = _mine()
    if asked in list(NoticeState):
        chosen = chosen.where(Notice.state == NoticeState(asked))
    page = keyset.newest_first(chosen, Notice.id, request.args.get("before", type=int))
    return render_template(
        "admin/notices.html",
        page=page,
        asked=asked,
        names=NAMES,
        may_see_addresses=may_anywhere(signed_in_account(), Permission.SEE_ADDRESSES),
        chips=[
            {
                "label": tag_of(state).text,
                "count": counts[state],
                "url": url_for("admin.notices", state=state.value),
                "current": asked == state.value,
            }
            for state in NoticeState
            if state in counts
        ],
    )


def _notice(key: int) -> Notice:
    notice = db.session.scalar(_mine().where(Notice.id == key))
    if notice is None:
        raise NotFound(_("There is no such notice."))
    return notice


@blueprint.get("/desk/notices/<int:key>")
@staff(_VIEW)
def notice(key: int) -> ResponseReturnValue:
    """One notice: what was answered, what happens next. Its links are not here: they are its reader's."""
    row = _notice(key)
    return render_template(
        "admin/notice.html", notice=row, name=NAMES.get(row.template, row.template), retried=_RETRIED
    )


@blueprint.post("/desk/notices/<int:key>/retry")
@staff(_VIEW)
def retry_notice(key: int) -> ResponseReturnValue:
    """Send it once more."""
    row, now = _notice(key), clock.now()
    if row.state not in _RETRIED:
        raise Conflict(_("This one needs no second try: look at its state."))
    with transaction():
        outbox.try_again(row, now)
        record("notice.tried_again", actor=signed_in_account(), now=now, subject=("notice", key))
    flash(_("It is tried again now."), "success")
    return redirect(url_for("admin.notice", key=key), 303)
