"""What came back: bounces, complaints, automatic answers, and what could not be understood.

Everything on these pages was written by strangers: it is shown as text, one line or cut, never as a page or a link.
"""

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, select

from ... import clock
from ...config import current_settings
from ...db import db, transaction
from ...delivery.returns import feedback
from ...domain.staff import keyset
from ...domain.staff.activity import record
from ...domain.staff.permissions import ROLE_PERMISSIONS, Permission, may, may_anywhere
from ...errors import NotFound
from ...i18n import gettext as _
from ...models import Feedback, InboundMessage, Issue, MailSource, Subscriber, Subscription
from ...states import FeedbackKind, InboundState
from ..access import signed_in_account, staff
from ..tags import tag_of
from .room import blueprint

_VIEW = Permission.VIEW_NOTICES
_LONGEST_SOURCE = 20_000
#: It is looked into every minute; after this long nobody does.
_STALE = timedelta(minutes=10)
KINDS = {
    "dsn": _("Report on delivery"),
    "arf": _("Complaint"),
    "automatic": _("Automatic answer"),
    "unknown": _("A letter, or something else"),
    "forged": _("Made to look like ours"),
    "contribution": _("News by email"),
}
SAID = {
    FeedbackKind.HARD: _("No such mailbox"),
    FeedbackKind.SOFT: _("Not this time"),
    FeedbackKind.POLICY: _("Turned away"),
    FeedbackKind.COMPLAINT: _("Called spam"),
}


def _mine() -> Select[InboundMessage]:
    """The mails one may see: all, or those about readers of one's lists."""
    me = signed_in_account()
    if may(me, _VIEW):
        return select(InboundMessage)
    lists = [one.list_id for one in me.memberships if _VIEW in ROLE_PERMISSIONS[one.role]]
    about_them = select(Feedback.inbound_id).join(Subscription).where(Subscription.list_id.in_(lists))
    return select(InboundMessage).where(InboundMessage.id.in_(about_them))


@blueprint.get("/desk/inbound", endpoint="inbound")
@staff(_VIEW)
def all_inbound() -> ResponseReturnValue:
    """Newest first; `?state=` shows those of one state."""
    counted = _mine().with_only_columns(InboundMessage.state, func.count(), maintain_column_froms=True)
    counts = {row[0]: row[1] for row in db.session.execute(counted.group_by(InboundMessage.state))}
    asked = request.args.get("state", "")
    chosen = _mine()
    if asked in list(InboundState):
        chosen = chosen.where(InboundMessage.state == InboundState(asked))
    before = request.args.get("before", type=int)
    page = keyset.newest_first(chosen, InboundMessage.id, before)
    # Of a mailbox that the settings named before, its row remains.
    source = db.session.scalar(select(MailSource).order_by(MailSource.looked_at.desc()).limit(1))
    return render_template(
        "admin/inbound.html",
        page=page,
        paged=before is not None,
        asked=asked,
        kinds=KINDS,
        about=_about([row.id for row in page.rows]),
        said_words=SAID,
        source=source,
        stale=source is not None and (source.looked_at is None or clock.now() - source.looked_at > _STALE),
        is_set=current_settings().inbound_url is not None,
        may_see_addresses=may_anywhere(signed_in_account(), Permission.SEE_ADDRESSES),
        chips=[
            {
                "label": tag_of(state).text,
                "count": counts[state],
                "url": url_for("admin.inbound", state=state.value),
                "current": asked == state.value,
            }
            for state in InboundState
            if state in counts
        ],
    )


def _about(numbers: list[int]) -> dict[int, list[tuple[Feedback, Subscriber | None, Issue | None]]]:
    """What these mails said, each with its reader and issue, as far as they are still there."""
    rows = db.session.execute(
        select(Feedback, Subscriber, Issue)
        .join(Subscription, Subscription.id == Feedback.subscription_id, isouter=True)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id, isouter=True)
        .join(Issue, Issue.id == Feedback.issue_id, isouter=True)
        .where(Feedback.inbound_id.in_(numbers))
        .order_by(Feedback.id)
    )
    found: dict[int, list[tuple[Feedback, Subscriber | None, Issue | None]]] = {}
    for said, reader, issue in rows:
        found.setdefault(said.inbound_id or 0, []).append((said, reader, issue))
    return found


def _message(key: int) -> InboundMessage:
    row = db.session.scalar(_mine().where(InboundMessage.id == key))
    if row is None:
        raise NotFound(_("There is no such mail."))
    return row


@blueprint.get("/desk/inbound/<int:key>")
@staff(_VIEW)
def inbound_message(key: int) -> ResponseReturnValue:
    """One mail: what it was, what was done, and its text where nobody could tell."""
    row = _message(key)
    return render_template(
        "admin/inbound_message.html",
        message=row,
        kind=KINDS.get(row.kind, row.kind),
        said_words=SAID,
        about=_about([key]).get(key, []),
        may_see_addresses=may_anywhere(signed_in_account(), Permission.SEE_ADDRESSES),
        source=(row.raw or b"")[:_LONGEST_SOURCE].decode("utf-8", "replace"),
        cut=len(row.raw or b"") > _LONGEST_SOURCE,
    )


@blueprint.post("/desk/inbound/<int:key>/again")
@staff(_VIEW)
def look_again(key: int) -> ResponseReturnValue:
    """Have it read once more: after an update of the program, or of the package for odd forms."""
    row, now = _message(key), clock.now()
    taken = feedback.look_again(row, now)
    with transaction():
        record("inbound.looked_again", actor=signed_in_account(), now=now, subject=("inbound", key), found=taken.kind)
    found_out = taken.state is not InboundState.QUARANTINED
    flash(taken.note if found_out else _("It is still not understood."), "success" if found_out else "notice")
    return redirect(url_for("admin.inbound_message", key=key), 303)
