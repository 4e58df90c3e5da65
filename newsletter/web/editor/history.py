"""The versions of an issue and of a section: what changed, by whom, compared, and taken again."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import comparing, editing, history, versions
from newsletter.domain.staff.permissions import Permission, may
from newsletter.errors import Conflict, NotFound
from newsletter.i18n import gettext as _
from newsletter.models import Account, Issue, IssueVersion
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import current_account, signed_in_account, staff

from .room import blueprint, find_issue, page, to
from .words import name_of

_HISTORY = "/desk/issues/<slug>/history"
_SECTION = "/desk/issues/<slug>/write/<uuid:block_id>/history"
#: Older versions stay and can be compared by their number; the page shows these many.
_MOST = 100


@dataclass(frozen=True)
class Row:
    """One version: `what` differs from the one shown below it, and `small` ones led up to it."""

    version: IssueVersion
    who: str
    what: str
    older: int | None
    small: tuple["Row", ...] = ()


@blueprint.context_processor
def _undo_offered() -> dict[str, Any]:
    """The desk offers to undo what this person did to the structure last."""
    return {"undo_offer": lambda issue: history.offer(issue, current_account(), clock.now())}


def _may_edit(issue: Issue) -> bool:
    return issue.state in EDITABLE_STATES and may(current_account(), Permission.EDIT_ISSUES, issue.mailing_list)


@blueprint.get(_HISTORY)
@staff(Permission.VIEW_ISSUES)
def issue_history(slug: str) -> tuple[str, int]:
    issue = find_issue(slug)
    kept = versions.kept_versions(issue)
    rows = _rows(kept)
    latest = kept[0] if kept else None
    since = comparing.in_words(comparing.changes(latest, issue)) if latest else ""
    return page(
        "history.html", issue=issue, rows=rows[:_MOST], since=since, latest=latest, editable=_may_edit(issue),
        choices=[{"value": each.number, "text": _named(each)} for each in kept],
    )  # fmt: skip


def _named(version: IssueVersion) -> str:
    return f"{version.number}: {version.reason}"


def _rows(kept: list[IssueVersion]) -> list[Row]:
    """Newest first; those kept before small acts stand under the next one that is not."""
    names = _names(kept)
    rows: list[Row] = []
    small: list[Row] = []
    for place, version in enumerate(kept):
        before = kept[place + 1] if place + 1 < len(kept) else None
        row = Row(
            version,
            names.get(version.actor_id or 0, _("The system")),
            comparing.in_short(before, version),
            before.number if before else None,
        )
        if versions.is_small(version):
            small.append(row)
            continue
        rows += [_gathered(small)] if small else []
        rows.append(row)
        small = []
    return [*rows, *([_gathered(small)] if small else [])]


def _gathered(small: list[Row]) -> Row:
    """Steps in a row, as one: the newest of them, with the others behind it."""
    newest, *others = small
    return Row(newest.version, newest.who, newest.what, newest.older, tuple(others))


def _names(kept: list[IssueVersion]) -> dict[int, str]:
    ids = {version.actor_id for version in kept if version.actor_id}
    return {account.id: account.name for account in db.session.query(Account).where(Account.id.in_(ids))}


@blueprint.get(f"{_HISTORY}/compare")
@staff(Permission.VIEW_ISSUES)
def issue_compare(slug: str) -> tuple[str, int]:
    issue = find_issue(slug)
    before = versions.find_version(issue, _number(request.args.get("from", "")))
    to_number = request.args.get("to", "")
    after = versions.find_version(issue, _number(to_number)) if to_number else None
    found = comparing.changes(before, after or issue)
    editable = _may_edit(issue)
    return page(
        "history_compare.html", issue=issue, before=before, after=after, changes=found,
        sentence=comparing.in_words(found), editable=editable,
    )  # fmt: skip


def _number(typed: str) -> int:
    """The number of a version. Raises NotFound for what is none."""
    if not (typed.isdecimal() and len(typed) < 10):
        raise NotFound(_("There is no such version of this issue."))
    return int(typed)


@blueprint.post(f"{_HISTORY}/<int:number>/restore")
@staff(Permission.EDIT_ISSUES)
def issue_version_restore(slug: str, number: int) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    with transaction():
        history.restore_version(issue, number, actor=signed_in_account(), now=clock.now())
    flash(_("It says again what it said in version {number}.").format(number=number), "success")
    return to("compose", slug=slug, anchor="outline")


@blueprint.post(f"{_HISTORY}/<int:number>/undo")
@staff(Permission.EDIT_ISSUES)
def issue_undo(slug: str, number: int) -> Response:
    """Take back the last act on structure. One button, wherever it is offered."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    try:
        with transaction():
            history.undo(issue, number, actor=signed_in_account(), now=clock.now())
    except Conflict as error:
        flash(str(error), "problem")
        return to("issue_history", slug=slug)
    flash(_("Undone."), "success")
    return to("compose", slug=slug, anchor="outline")


# --- one section -------------------------------------------------------------------------------------------------


@blueprint.get(_SECTION)
@staff(Permission.VIEW_ISSUES)
def issue_block_history(slug: str, block_id: UUID) -> tuple[str, int]:
    issue = find_issue(slug)
    block = editing.find_block(issue, str(block_id))
    told = history.section_history(block)
    ids = {revision.actor_id for revision, _found in told if revision.actor_id}
    names = {account.id: account.name for account in db.session.query(Account).where(Account.id.in_(ids))}
    return page(
        "history_section.html", issue=issue, block=block, name=name_of(block), told=told[:_MOST], names=names,
        editable=_may_edit(issue) and block.deleted_at is None,
    )  # fmt: skip


@blueprint.post(f"{_SECTION}/<int:version>/restore")
@staff(Permission.EDIT_ISSUES)
def issue_block_restore(slug: str, block_id: UUID, version: int) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    expected = request.form.get("expected", "")
    try:
        with transaction():
            history.restore_section(
                editing.find_block(issue, str(block_id)), version,
                expected_version=int(expected) if expected.isdecimal() and len(expected) < 10 else 0,
                actor=signed_in_account(), now=clock.now(),
            )  # fmt: skip
    except Conflict as error:
        flash(str(error), "problem")
        return to("issue_block_history", slug=slug, block_id=block_id)
    flash(_("The older words stand again."), "success")
    return to("compose", slug=slug, block_id=block_id, anchor="write")
