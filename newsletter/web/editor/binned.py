"""The bin of an issue: put back, or gone for good."""

from uuid import UUID

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import binned, editing
from newsletter.domain.staff.permissions import Permission
from newsletter.i18n import gettext as _
from newsletter.rendering import characters
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff

from .room import blueprint, can, find_issue, page, to
from .words import all_words, name_of

_BIN = "/desk/issues/<slug>/bin"
_LONGEST_GLANCE = 240


@blueprint.get(_BIN)
@staff(Permission.VIEW_ISSUES)
def issue_bin(slug: str) -> tuple[str, int]:
    issue = find_issue(slug)
    rows = [{"binned": each, "glance": _glance(all_words(each.block), each.name)} for each in binned.bin_of(issue)]
    editable = issue.state in EDITABLE_STATES and can(Permission.EDIT_ISSUES, issue)
    return page("bin.html", issue=issue, rows=rows, editable=editable)


def _glance(words: str, name: str) -> str:
    """The first words below the heading."""
    return characters.shortened(" ".join(words.split()).removeprefix(name).strip(), _LONGEST_GLANCE)


@blueprint.post(f"{_BIN}/<uuid:block_id>/back")
@staff(Permission.EDIT_ISSUES)
def issue_bin_back(slug: str, block_id: UUID) -> Response:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    with transaction():
        block = editing.find_block(issue, str(block_id))
        binned.put_back(block, actor=signed_in_account(), now=clock.now())
        name = name_of(block)
    flash(_("“{name}” is back at its old place.").format(name=name), "success")
    return to("compose", slug=slug, block_id=block_id, anchor="write")


@blueprint.route(f"{_BIN}/<uuid:block_id>/empty", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def issue_bin_empty(slug: str, block_id: UUID) -> Response | tuple[str, int]:
    """This cannot be undone: a page of its own asks first."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    block = editing.find_block(issue, str(block_id))
    found = next((each for each in binned.bin_of(issue) if each.block.id == block.id), None)
    if found is None:
        flash(_("It is no longer in the bin."), "notice")
        return to("issue_bin", slug=slug)

    if request.method == "GET":
        return page("bin_empty.html", issue=issue, binned=found)
    name = found.name
    with transaction():
        binned.throw_away(editing.find_block(issue, str(block_id)), actor=signed_in_account(), now=clock.now())
    flash(_("“{name}” is gone.").format(name=name), "success")
    return to("issue_bin", slug=slug)
