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
from ..tags import tag_of
from .room import blueprint

_VIEW = Permission.VIEW_NOTICES
#: A person may have these tried again. What was accepted is not sent twice, and what waits goes by itself.
_RETRIED = (NoticeState.REFUSED, NoticeState.UNSURE, NoticeState.DEFERRED)
NAMES = {
    "confirm_subscription": _("Please confirm"),
    "confirm_reminder": _("Please confirm, once more"),
    "sign_up_flood": _("Far more sign-ups than usual"),
    "already_subscribed": _("You are subscribed already"),
    "fresh_link": _("A fresh link"),
    "left_link": _("The way back to a list"),
    "address_change_link": _("Link to change an address"),
    "confirm_new_address": _("Please confirm a new address"),
    "address_known": _("The new address is known"),
    "address_changed": _("Your address was changed"),
    "address_change_undone": _("Your address was changed back"),
    "staff_invitation": _("Invitation to the team"),
    "password_reset_link": _("Link to a new password"),
    "account_changed": _("Your account was changed"),
    "contribution_receipt": _("We have your news"),
    "contribution_late": _("Your news came late"),
    "contribution_accepted": _("Your news is in"),
    "contribution_declined": _("Your news is not in"),
    "contribution_changes_requested": _("Please change your news"),
    "contribution_moved": _("Your news is kept for another issue"),
    "contribution_merged": _("Your news is part of another piece"),
    "contribution_merged_into": _("More has joined your news"),
    "contribution_reopened": _("Your news is looked at once more"),
    "contribution_taken_out": _("Your news is taken out"),
    "contribution_stays": _("What you asked about your news"),
    "contribution_confirm": _("Is your news right as it stands?"),
    "contribution_out": _("Your news is out"),
    "sender_withdraws": _("A sender asks to take something out"),
    "sender_suggests": _("A sender asks for a change"),
    "contributor_sign_in": _("Link and code to sign in"),
    "contributor_invitation": _("Invitation to send news"),
    "contributor_welcome": _("Taken in"),
    "contributor_refused": _("Not taken in"),
    "contributor_asked": _("Somebody asks to send news"),
    "prove_address": _("Link and code for what was sent"),
    "call_invitation": _("Invitation to a call"),
    "call_reminder": _("Reminder of a call"),
    "call_last_call": _("Reminder of a draft"),
    "call_moved": _("A deadline has moved"),
    "call_closed": _("A call is closed, a draft is saved"),
    "call_digest": _("What came in"),
    "more_time_asked": _("Somebody asks for more time"),
    "more_time_told": _("More time was given"),
    "more_time_given": _("More time"),
    "more_time_ends": _("More time ends soon"),
    "more_time_refused": _("No more time"),
    "more_time_taken_back": _("More time was taken back"),
    "test_issue": _("Test email"),
    "approval_requested": _("Approval asked for"),
    "approval_returned": _("Sent back"),
    "approval_ended": _("An approval has ended"),
    "approval_reminder": _("The day of approval"),
    "comment_mention": _("Named in a comment"),
    "draft_commented": _("Comment on a shared draft"),
    "issue_approved": _("Approved"),
    "issue_scheduled": _("Scheduled"),
    "schedule_held": _("Held back"),
    "sending_started": _("Sending has begun"),
    "sending_paused": _("Sending is paused"),
    "sending_finished": _("Sending has ended"),
    "sending_turned_away": _("Turned away"),
    "mailbox_unreadable": _("Bounces cannot be read"),
}


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
