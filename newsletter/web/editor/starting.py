"""An issue begins with what comes back every time; last time's words stand beside."""

from typing import Any
from uuid import UUID

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import editing, protocols, starting
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Conflict
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Block, Issue
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff

from .room import blueprint, can, find_issue, page, to
from .words import all_words


@blueprint.context_processor
def _last_time() -> dict[str, Any]:
    """The desk shows last time's words beside a section, and what waits for the issue above it."""
    return {
        "last_time": _beside,
        "can_start": starting.can_start,
        "last_issue": starting.last_issue,
        "waiting_for": lambda issue: protocols.all_waiting(issue, clock.now()),
    }


def _beside(block: Block) -> dict[str, Any] | None:
    """Last time's words of a section, and whether they may take the place of nothing."""
    before = starting.last_time(block)
    if before is None:
        return None
    return {"block": before, "words": all_words(before), "empty": starting.is_only_a_heading(block)}


def _may_start(issue: Issue) -> bool:
    return issue.state in EDITABLE_STATES and can(Permission.EDIT_ISSUES, issue)


@blueprint.get("/desk/issues/<slug>/start")
@staff(Permission.EDIT_ISSUES)
def issue_start(slug: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    found = starting.comebacks(issue) if _may_start(issue) else []
    if not found:
        flash(_("There is nothing of a last issue to start from."), "notice")
        return to("issue", slug=slug)
    rows = [{"comeback": each, "words": all_words(each.block)} for each in found]
    return page("start.html", issue=issue, rows=rows, last=starting.last_issue(issue))


@blueprint.post("/desk/issues/<slug>/start", endpoint="issue_start_from")
@staff(Permission.EDIT_ISSUES)
def issue_start_from(slug: str) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    chosen = {found for typed in request.form.getlist("section") if (found := _uuid(typed)) is not None}
    with transaction():
        made = starting.start_from(issue, chosen, actor=signed_in_account(), now=clock.now())
        number, first = len(made), made[0].id if made else None
    words = ngettext("%(number)s section waits for its words.", "%(number)s sections wait for their words.", number)
    flash(words % {"number": number} if number else _("The call has last time’s words."), "success")
    return to("compose", slug=slug, block_id=first, anchor="write")


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


@blueprint.post("/desk/issues/<slug>/write/<uuid:block_id>/last-words")
@staff(Permission.EDIT_ISSUES)
def issue_last_words(slug: str, block_id: UUID) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    typed = request.form.get("expected", "")
    expected = int(typed) if typed.isdecimal() and len(typed) < 10 else 0
    try:
        with transaction():
            starting.use_last_words(
                editing.find_block(issue, str(block_id)),
                expected_version=expected,
                actor=signed_in_account(),
                now=clock.now(),
            )
    except Conflict as error:
        flash(str(error), "problem")
        return to("compose", slug=slug, block_id=block_id, anchor="write")
    flash(_("Last time’s words are here. Change what has changed."), "success")
    return to("compose", slug=slug, block_id=block_id, anchor="write")
