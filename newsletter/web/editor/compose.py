"""Writing: the desk with its outline, one open section and the mail beside it. Every change is a POST of its own."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import request, url_for
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import editing, headings
from newsletter.domain.issues.presence import others_here
from newsletter.domain.staff.permissions import Permission, may
from newsletter.errors import Conflict, Invalid, NotFound, Problem
from newsletter.i18n import gettext as _
from newsletter.models import Block, Issue
from newsletter.rendering.blocks import kind as kind_of
from newsletter.states import EDITABLE_STATES, IssueState
from newsletter.web.access import current_account, signed_in_account, staff
from newsletter.web.section_forms import PREFIX, common_of, control_id, list_step, read_data, take_step

from . import autosave, desk, looks
from .compose_clash import two_versions
from .palette import groups
from .room import blueprint, find_issue, page, to
from .words import name_of

_ISSUE = "/desk/issues/<slug>/write"
_BLOCK = f"{_ISSUE}/<uuid:block_id>"
_LOCKED = {
    IssueState.SCHEDULED: "The issue is scheduled. Cancel the schedule to change its words.",
    IssueState.CANCELLED: "The issue was cancelled.",
}


@blueprint.get(_ISSUE, endpoint="compose")
@blueprint.get(_BLOCK, endpoint="compose")
@staff(Permission.VIEW_ISSUES)
def compose(slug: str, block_id: UUID | None = None) -> tuple[str, int]:
    issue = find_issue(slug)
    block = editing.find_block(issue, str(block_id)) if block_id else desk.first_to_write(issue)
    return desk_page(issue, block)


def _locked_because(issue: Issue) -> str:
    if issue.state in EDITABLE_STATES:
        return _("You may read them. Editors change them.")
    return _(_LOCKED.get(issue.state, "It is sent: what people have cannot be changed."))


def desk_page(
    issue: Issue,
    block: Block | None,
    *,
    typed: dict[str, Any] | None = None,
    common: dict[str, Any] | None = None,
    problems: list[Problem] | None = None,
    expected: int | None = None,
    status: int = 200,
) -> tuple[str, int]:
    """The desk with `block` open; with what was typed and what is wrong with it, when a save was refused."""
    now = clock.now()
    findings, broken = desk.findings_of(issue)
    shown = looks.look_of(request.args.get("look"))
    gone = block is not None and block.deleted_at is not None
    editable = issue.state in EDITABLE_STATES and may(current_account(), Permission.EDIT_ISSUES, issue.mailing_list)
    wrong = problems or []
    values: dict[str, Any] = {
        "rows": desk.outline(issue, block, findings),
        "open": None
        if block is None or gone
        else desk.sheet(
            issue, block, findings, typed=typed, common=common, problems=wrong, expected=expected,
            more=request.args.get("more", "") if editable else "",
        ),
        "editable": editable,
        "locked_because": _locked_because(issue),
        "announced": desk.announced(issue, block) if block and "moved" in request.args else "",
        "deleted": _deleted(issue),
        "stopping": sum(1 for each in findings if each.stops),
        "saved_at": looks.saved_words(issue, now),
        "forms": looks.looks(issue, block, shown),
        "form_shown": shown,
        "groups": groups(issue) if editable else [],
        "offered_deadline": _offered_deadline(),
        "preview_problem": broken,
        "preview_url": _preview_url(issue, shown),
        "typed_url": _typed_url(issue, block, shown) if block and editable else "",
        "others": others_here(issue, than=current_account(), now=now),
        "me": current_account(),
        "head_lines": {
            "sender": issue.mailing_list.sender_name, "subject": issue.subject, "preview": issue.preheader,
        },
        "problems": [Problem(_control_of(each.field, block), each.sentence) for each in wrong],
    }  # fmt: skip
    return page("compose.html", issue=issue, status=status, **values)


def _offered_deadline() -> date | None:
    """The day that a document just brought in names as the next deadline."""
    try:
        return date.fromisoformat(request.args.get("deadline", ""))
    except ValueError:
        return None


def _preview_url(issue: Issue, shown: str) -> str:
    form = shown if shown in ("text", "web") else "html"
    # The number makes the browser fetch it again when the words have changed.
    return url_for("editor.issue_preview", slug=issue.slug, form=form, v=issue.content_version, marks=1)


def _typed_url(issue: Issue, block: Block, shown: str) -> str:
    """Where the preview of words that nobody saved yet is asked for."""
    form = shown if shown in ("text", "web") else "html"
    return url_for("editor.issue_preview_typed", slug=issue.slug, form=form, block_id=block.id)


def _control_of(field: str, block: Block | None) -> str:
    """The id of the control that a problem's field names."""
    if block and field.partition(".")[0] in {each.name for each in kind_of(block.kind).fields}:
        return control_id(PREFIX + field)
    return control_id(f"c.{field}") if field else ""


def _deleted(issue: Issue) -> dict[str, Any] | None:
    """The section that was just thrown away, for the offer to take it back."""
    try:
        block = editing.find_block(issue, request.args.get("deleted", ""))
    except NotFound:
        return None
    return {"block": block, "name": name_of(block)} if block and block.deleted_at else None


def _number(typed: str) -> int | None:
    """A number that a form of ours carried; None for what none of them could."""
    return int(typed) if typed.isdecimal() and len(typed) < 10 else None


# --- one section -------------------------------------------------------------------------------------------------


@blueprint.post(_BLOCK)
@staff(Permission.EDIT_ISSUES)
def issue_block_save(slug: str, block_id: UUID) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    block = editing.find_block(issue, str(block_id))
    kind, was = kind_of(block.kind), issue.state
    pressed = request.form.get("do", "")
    data, common = read_data(kind.fields, request.form), common_of(request.form)
    if kind.fixed:
        common = {}
    step = list_step(pressed)
    focus = take_step(data, step) if step and step.verb != "add" else 0
    expected = _number(request.form.get("expected", "")) or 0
    try:
        with transaction():
            editing.edit_block(
                block, data, expected_version=expected, common=common, autosave=autosave.asked(),
                actor=signed_in_account(), now=clock.now(),
            )  # fmt: skip
    except Conflict:
        return autosave.clashed() if autosave.asked() else two_versions(slug, block_id, data, common)
    except Invalid as error:
        if autosave.asked():
            return autosave.refused(error, lambda field: _control_of(field, block))
        issue = find_issue(slug)
        return desk_page(
            issue, editing.find_block(issue, str(block_id)), typed=data, common=common or None,
            problems=error.problems, expected=expected, status=422,
        )  # fmt: skip
    if autosave.asked():
        return autosave.saved(slug, block_id, was)
    if step and step.verb == "add":
        return _to_saved(block_id, slug=slug, more=step.path, anchor=control_id(PREFIX + step.path))
    if step:
        return _to_saved(block_id, slug=slug, anchor=f"e-{control_id(step.path)}-{focus}")
    if pressed.startswith("picture:"):
        return to("issue_block_picture", slug=slug, block_id=block_id, field=pressed.partition(":")[2])
    if pressed == "next":
        return _to_saved(block_id, slug=slug, show=_next(slug, block_id), anchor="write")
    return _to_saved(block_id, slug=slug, anchor="write")


def _to_saved(saved: UUID, *, show: UUID | None = None, **values: Any) -> Response:
    """Back to the desk, whose address says what was saved: words that the browser keeps of it may go."""
    return to("compose", block_id=show or saved, saved=saved, **values)


def _next(slug: str, block_id: UUID) -> UUID:
    """The section after this one that somebody writes; this one, where there is none."""
    issue = find_issue(slug)
    blocks = [block for block in issue.blocks if block.id == block_id or not kind_of(block.kind).fixed]
    place = next((number for number, block in enumerate(blocks) if block.id == block_id), 0)
    return blocks[min(place + 1, len(blocks) - 1)].id if blocks else block_id


@blueprint.post(f"{_BLOCK}/move")
@staff(Permission.EDIT_ISSUES)
def issue_block_move(slug: str, block_id: UUID) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    step = {"up": -1, "down": 1}.get(request.form.get("way", ""), 0)
    with transaction():
        block = editing.find_block(issue, str(block_id))
        editing.move_block(block, block.position + step, actor=signed_in_account(), now=clock.now())
    return to("compose", slug=slug, block_id=block_id, moved=1, anchor=f"b-{block_id}")


@blueprint.post(f"{_BLOCK}/duplicate")
@staff(Permission.EDIT_ISSUES)
def issue_block_duplicate(slug: str, block_id: UUID) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    with transaction():
        block = editing.find_block(issue, str(block_id))
        copy = editing.duplicate_block(block, actor=signed_in_account(), now=clock.now()).id
    return to("compose", slug=slug, block_id=copy, anchor="write")


@blueprint.post(f"{_BLOCK}/delete")
@staff(Permission.EDIT_ISSUES)
def issue_block_delete(slug: str, block_id: UUID) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    near = _next(slug, block_id)
    with transaction():
        block = editing.find_block(issue, str(block_id))
        editing.delete_block(block, actor=signed_in_account(), now=clock.now())
    return to("compose", slug=slug, block_id=near if near != block_id else None, deleted=block_id, anchor="outline")


@blueprint.post(f"{_BLOCK}/undo")
@staff(Permission.EDIT_ISSUES)
def issue_block_undo(slug: str, block_id: UUID) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    with transaction():
        block = editing.find_block(issue, str(block_id))
        editing.undo_delete(block, actor=signed_in_account(), now=clock.now())
    return to("compose", slug=slug, block_id=block_id, anchor="write")


@blueprint.post(f"{_BLOCK}/level")
@staff(Permission.EDIT_ISSUES)
def issue_block_level(slug: str, block_id: UUID) -> Response:
    """Raise a sub-heading to a section, or lower a section to a sub-heading of the one above."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    typed = request.form.get("number", "")
    with transaction():
        block = editing.find_block(issue, str(block_id))
        changed = headings.change_heading_level(
            block,
            _number(typed),
            expected_version=block.version,
            actor=signed_in_account(),
            now=clock.now(),
        ).id
    return to("compose", slug=slug, block_id=changed, anchor="write")


# --- the palette -------------------------------------------------------------------------------------------------


@blueprint.get(f"{_ISSUE}/add")
@staff(Permission.EDIT_ISSUES)
def issue_add(slug: str) -> tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    after = request.args.get("after", "")
    block = editing.find_block(issue, after) if after else None
    return page(
        "palette.html",
        issue=issue,
        after=after,
        after_name=name_of(block) if block else "",
        groups=groups(issue),
    )


@blueprint.post(f"{_ISSUE}/add", endpoint="issue_add_block")
@staff(Permission.EDIT_ISSUES)
def issue_add_block(slug: str) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    after = request.form.get("after", "")
    kind = request.form.get("kind", "")
    with transaction():
        above = editing.find_block(issue, after) if after else None
        position = above.position + 1 if above and above.deleted_at is None else None
        block = editing.add_block(issue, kind, position=position, actor=signed_in_account(), now=clock.now())
        made = block.id
    return to("compose", slug=slug, block_id=made, anchor=desk.first_field(kind))
