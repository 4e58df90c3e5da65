"""The order of the sections: one put elsewhere, or each given its number. Dragging posts to the first."""

from typing import Any
from uuid import UUID

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import editing, ordering
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Conflict, Invalid, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Block, Issue
from newsletter.rendering.blocks import kind as kind_of
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff

from .room import blueprint, find_issue, page, to
from .words import name_of

_WRITE = "/desk/issues/<slug>/write"
_NO_PLACE = 0


@blueprint.get(f"{_WRITE}/<uuid:block_id>/place", endpoint="issue_block_place")
@staff(Permission.EDIT_ISSUES)
def where_to(slug: str, block_id: UUID) -> tuple[str, int]:
    """Choose the section that this one is to stand below: the way to move on a phone."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    block = editing.find_block(issue, str(block_id))
    if kind_of(block.kind).fixed or block.deleted_at is not None or issue.state not in EDITABLE_STATES:
        raise Refused(_("This section cannot be moved."))
    group = ordering.group_of(block, issue.blocks)
    return page(
        "order_place.html",
        issue=issue,
        block=block,
        name=name_of(block),
        places=_places(issue, block, group),
        along=[name_of(each) for each in group[1:]],
    )


def _places(issue: Issue, block: Block, group: list[Block]) -> list[dict[str, Any]]:
    """Each place the section may have, said by what stands above it; where it stands now is the chosen one."""
    lowest, _highest = ordering.bounds(issue.blocks)
    found = [(lowest, _("At the top"))]
    for each in issue.blocks:
        if each in group or kind_of(each.kind).fixed:
            continue
        number = each.position + (1 if each.position > block.position else 2)
        found.append((number, _("Below “%(name)s”") % {"name": name_of(each)}))
    return [{"value": str(number), "text": text, "selected": number == block.position + 1} for number, text in found]


@blueprint.post(f"{_WRITE}/<uuid:block_id>/place", endpoint="issue_block_put")
@staff(Permission.EDIT_ISSUES)
def put(slug: str, block_id: UUID) -> Response:
    """Put the section at the posted place (1 is the top), with what continues it."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    wanted = _number(request.form.get("place", ""))
    if wanted == _NO_PLACE:
        raise Invalid([Problem("place", _("Choose where the section is to stand."))])
    with transaction():
        block = editing.find_block(issue, str(block_id))
        ordering.place_group(block, wanted - 1, actor=signed_in_account(), now=clock.now())
    return to("compose", slug=slug, block_id=block_id, moved=1, anchor=f"b-{block_id}")


@blueprint.route(f"{_WRITE}/order", methods=["GET", "POST"], endpoint="issue_order")
@staff(Permission.EDIT_ISSUES)
def order(slug: str) -> Response | tuple[str, int]:
    """Every section with its number, and one button."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    if request.method == "GET":
        return _order_page(issue)
    typed = {str(each.id): request.form.get(f"p.{each.id}", "").strip() for each in issue.blocks}
    places = {UUID(name): _number(number) for name, number in typed.items() if f"p.{name}" in request.form}
    try:
        with transaction():
            moved = ordering.set_order(issue, _seen(), places, actor=signed_in_account(), now=clock.now())
    except Invalid as error:
        return _order_page(find_issue(slug), typed=typed, problems=error.problems, status=422)
    except Conflict as error:
        return _order_page(find_issue(slug), problems=[Problem("", str(error))], status=409)
    if moved:
        words = ngettext("%(number)s section was moved.", "%(number)s sections were moved.", moved)
        flash(words % {"number": moved}, "success")
    return to("compose", slug=slug, anchor="outline")


def _seen() -> list[UUID]:
    """The order that the page showed; none, where what came back is no such thing."""
    try:
        return [UUID(each) for each in request.form.get("seen", "").split()]
    except ValueError:
        return []


def _number(typed: str) -> int:
    """A place that was typed; one that nothing can have, where it is no number."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 5 else _NO_PLACE


def _order_page(
    issue: Issue, *, typed: dict[str, str] | None = None, problems: list[Problem] | None = None, status: int = 200
) -> tuple[str, int]:
    wrong = {problem.field: problem.sentence for problem in problems or ()}
    rows = [
        {
            "id": str(each.id),
            "name": kind_of(each.kind).name if kind_of(each.kind).fixed else name_of(each),
            "kind": kind_of(each.kind).name,
            "fixed": bool(kind_of(each.kind).fixed),
            "number": (typed or {}).get(str(each.id)) or str(each.position + 1),
            "error": wrong.get(str(each.id), ""),
        }
        for each in issue.blocks
    ]
    return page(
        "order.html",
        issue=issue,
        status=status,
        rows=rows,
        seen=" ".join(str(each.id) for each in issue.blocks),
        editable=issue.state in EDITABLE_STATES,
        problems=[Problem(f"p-{each.field}" if each.field else "", each.sentence) for each in problems or ()],
        back=url_for("editor.compose", slug=issue.slug),
    )
