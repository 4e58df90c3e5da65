"""Promises: made at a section, decided on at the top of the next issue."""

from typing import Any
from uuid import UUID

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import editing, following_up
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Conflict, NotFound
from newsletter.i18n import gettext as _
from newsletter.models import FollowUp, Issue
from newsletter.rendering.blocks import kind as kind_of
from newsletter.states import FollowUpState
from newsletter.web.access import signed_in_account, staff

from .room import blueprint, find_issue, page, to
from .words import words_of

_PROMISE = "/desk/issues/<slug>/follow-ups"


@blueprint.context_processor
def _promises() -> dict[str, Any]:
    """The desk shows what was promised: at the section, and above the next issue."""
    return {
        "promised": following_up.promised,
        "promise_in": following_up.promise_in,
        "can_be_followed": following_up.can_be_followed,
        "follow_ups": following_up.waiting,
        "decided_promise": _just_decided,
    }


def _just_decided(issue: Issue) -> dict[str, Any] | None:
    """The promise that was decided on a moment ago, for the offer to take that back."""
    typed = request.args.get("decided", "")
    if not (typed.isdecimal() and len(typed) < 10):
        return None
    try:
        found = _find(issue, int(typed))
    except NotFound:
        return None
    carried = found.not_before_issue_id == issue.id
    if found.state is FollowUpState.WAITING and not carried:
        return None
    sentence = {
        FollowUpState.KEPT: _("“{name}” is a section now, with its old words."),
        FollowUpState.DROPPED: _("“{name}” will not be followed up."),
        FollowUpState.WAITING: _("“{name}” waits for the issue after this one."),
    }[found.state]
    return {
        "number": found.id,
        "sentence": sentence.format(name=found.heading),
        "block": request.args.get("made", ""),
    }


def _find(issue: Issue, number: int) -> FollowUp:
    """The promise, if it is one of the issue's list. Raises NotFound."""
    found = following_up.find_follow_up(number)
    if found.list_id != issue.list_id:
        raise NotFound(_("There is no such promise."))
    return found


@blueprint.get(_PROMISE)
@staff(Permission.VIEW_ISSUES)
def issue_follow_ups(slug: str) -> tuple[str, int]:
    """What waits for this issue, and what this issue promises itself."""
    issue = find_issue(slug)
    waiting = [{"promise": each, "words": _words(each)} for each in following_up.waiting(issue)]
    return page("follow_ups.html", issue=issue, waiting=waiting, made=following_up.made_in(issue))


def _words(follow_up: FollowUp) -> list[str]:
    return words_of(kind_of(follow_up.kind).fields, following_up.words_of(follow_up))


@blueprint.post("/desk/issues/<slug>/write/<uuid:block_id>/follow-up")
@staff(Permission.EDIT_ISSUES)
def issue_promise(slug: str, block_id: UUID) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    with transaction():
        block = editing.find_block(issue, str(block_id))
        following_up.promise(block, request.form.get("note", ""), actor=signed_in_account(), now=clock.now())
    flash(_("Noted. It waits at the top of the next issue."), "success")
    return to("compose", slug=slug, block_id=block_id, anchor="write")


@blueprint.post(f"{_PROMISE}/<int:number>/keep")
@staff(Permission.EDIT_ISSUES)
def follow_up_keep(slug: str, number: int) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    try:
        with transaction():
            made = following_up.keep(_find(issue, number), issue, actor=signed_in_account(), now=clock.now()).id
    except Conflict as error:
        return _too_late(slug, error)
    return to("compose", slug=slug, block_id=made, decided=number, made=made, anchor="write")


@blueprint.post(f"{_PROMISE}/<int:number>/<any('carry', 'let-go'):decision>")
@staff(Permission.EDIT_ISSUES)
def follow_up_decide(slug: str, number: int, decision: str) -> Response:
    """Not now: it waits for the issue after this one, or no longer at all."""
    decide = following_up.carry_on if decision == "carry" else following_up.let_go
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    try:
        with transaction():
            decide(_find(issue, number), issue, actor=signed_in_account(), now=clock.now())
    except Conflict as error:
        return _too_late(slug, error)
    return to("compose", slug=slug, decided=number, anchor="write")


@blueprint.post(f"{_PROMISE}/<int:number>/back")
@staff(Permission.EDIT_ISSUES)
def follow_up_back(slug: str, number: int) -> Response:
    """Take the decision back: it waits again."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    try:
        block_id = UUID(request.form.get("block", ""))
    except ValueError:
        block_id = None
    with transaction():
        following_up.take_back(
            _find(issue, number), issue, block_id, actor=signed_in_account(), now=clock.now()
        )  # fmt: skip
    flash(_("It waits again."), "success")
    return to("compose", slug=slug, anchor="write")


def _too_late(slug: str, error: Conflict) -> Response:
    flash(str(error), "problem")
    return to("compose", slug=slug, anchor="write")
