"""One act on many subscribers: chosen on their page, confirmed here, watched, taken back."""

from typing import Any
from urllib.parse import urlencode

from flask import Response as FlaskResponse
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.staff.permissions import Permission, may, may_anywhere
from newsletter.domain.subscribers import bulk_actions
from newsletter.domain.subscribers.bulk_kinds import ACTS, Kind
from newsletter.errors import Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.models import BulkAction
from newsletter.states import BulkState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems

from .chosen_people import carried, search_of, selection_of
from .room import blueprint, lists_for, page, to
from .together_words import KIND_WORDS, TogetherForm, done_words, outcome_words, question, what_follows

_MANAGE = Permission.MANAGE_SUBSCRIBERS
_UNDER = "editor.subscribers"
#: No act: it changes nobody, and has a page of its own. What cannot be undone stands after it.
_EXPORT, _EXPORT_AFTER = "export", 3


@blueprint.app_template_global("acts_together")
def acts_together() -> list[dict[str, str]]:
    """What the person may do to many at once, for the choice below the subscribers; [] for nothing."""
    account = signed_in_account()
    if not lists_for(account, _MANAGE):
        return []
    acts = [
        {"value": kind.value, "text": words}
        for kind, words in KIND_WORDS.items()
        if ACTS[kind].of_list or may(account, _MANAGE)
    ]
    if may_anywhere(account, Permission.EXPORT_SUBSCRIBERS):
        acts.insert(_EXPORT_AFTER, {"value": _EXPORT, "text": _("Export to a file")})
    return acts


@blueprint.route("/desk/subscribers/together", methods=["GET", "POST"])
@staff(_MANAGE)
def together() -> Response | tuple[str, int]:
    """Say what would happen to whom, and ask for what belongs to it; then do it."""
    account, now = signed_in_account(), clock.now()
    if request.values.get("do") == _EXPORT and request.method == "GET":
        chosen = selection_of(account)
        if chosen.number(now):
            return redirect(f"{url_for('editor.export')}?{urlencode(carried(chosen))}", 303)
    try:
        kind = Kind(request.values.get("do", ""))
    except ValueError:
        flash(_("Choose what is to be done."), "problem")
        return to("subscribers")
    selection = selection_of(account)
    number = selection.number(now)
    if not number:
        flash(_("Nobody was ticked. Tick some people, or choose everybody who matches."), "problem")
        return to("subscribers", **search_of(selection))
    lists = lists_for(account, _MANAGE)
    form = TogetherForm(request.form if request.method == "POST" else None)
    form.offer(lists, selection.mailing_list)
    refused, status = "", 200
    if request.method == "POST":
        target = next((each for each in lists if each.slug == form.list.data), None)
        status = 422
        try:
            if form.validate():
                with transaction():
                    action = bulk_actions.start(
                        kind, selection, mailing_list=target, asked=form.asked(), actor=account, now=now
                    )
                key = action.id
                if action.number <= bulk_actions.AT_ONCE:
                    bulk_actions.perform(key, now)
                return to("together_done", key=key)
        except Invalid as error:
            put_problems(form, error)
        except Refused as error:
            refused = str(error)
    return page(
        "together.html",
        under=_UNDER,
        status=status,
        form=form,
        kind=kind.value,
        heading=question(kind, number),
        follows=what_follows(kind),
        button=KIND_WORDS[kind],
        number=number,
        refused=refused,
        carried=[*carried(selection), ("shown", str(number))],
        back=search_of(selection),
    )


@blueprint.get("/desk/subscribers/together/<int:key>")
@staff(_MANAGE)
def together_done(key: int) -> tuple[str, int]:
    """How far it is, what came of it, and the way back."""
    action, now = bulk_actions.find(key, signed_in_account()), clock.now()
    zone = action.mailing_list.timezone if action.mailing_list else None
    finished = action.finished_at or action.at
    return page(
        "together_done.html",
        under=_UNDER,
        **_progress(action),
        outcomes=outcome_words(action),
        undoable=bulk_actions.may_undo(action, now),
        undo_until=finished + bulk_actions.UNDO_FOR,
        heading=done_words(action),
        timezone=zone,
    )


@blueprint.get("/desk/subscribers/together/<int:key>/part")
@staff(_MANAGE)
def together_part(key: int) -> FlaskResponse:
    """The progress, which fetches itself again until there is another page to see."""
    action = bulk_actions.find(key, signed_in_account())
    if action.state not in (BulkState.RUNNING, BulkState.UNDOING):
        return FlaskResponse("", headers={"HX-Refresh": "true"})
    return FlaskResponse(render_template("editor/_together_progress.html", **_progress(action)))


@blueprint.post("/desk/subscribers/together/<int:key>/undo")
@staff(_MANAGE)
def together_undo(key: int) -> Response:
    """Take it back."""
    account, now = signed_in_account(), clock.now()
    action = bulk_actions.find(key, account)
    try:
        with transaction():
            bulk_actions.undo(action, actor=account, now=now)
    except Refused as error:
        flash(str(error), "problem")
    else:
        if action.number <= bulk_actions.AT_ONCE:
            bulk_actions.perform(key, now)
    return to("together_done", key=key)


def _progress(action: BulkAction) -> dict[str, Any]:
    total, done = max(1, action.number), bulk_actions.done_so_far(action)
    return {
        "action": action,
        "going": action.state in (BulkState.RUNNING, BulkState.UNDOING),
        "bar": [{"number": min(done, total), "kind": "good"}],
        "bar_words": _("{done} of {total} people").format(done=f"{done:,}", total=f"{total:,}"),
        "total": total,
    }
