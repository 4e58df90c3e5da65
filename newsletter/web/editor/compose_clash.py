"""Two people wrote in one section at once: both texts side by side, and three ways on. Neither is lost."""

from typing import Any
from uuid import UUID

from flask import request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import both, comparing, editing
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid
from newsletter.i18n import gettext as _
from newsletter.models import Account, Block
from newsletter.rendering.blocks import kind as kind_of
from newsletter.web.access import signed_in_account, staff
from newsletter.web.section_forms import PREFIX, common_of, read_data

from .room import blueprint, find_issue, page, to
from .words import name_of


def two_versions(slug: str, block_id: UUID, data: dict[str, Any], common: dict[str, Any]) -> tuple[str, int]:
    """The page that shows both: mine as I typed it, theirs as it is stored, with what differs marked in each."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    block = editing.find_block(issue, str(block_id))
    theirs = comparing.stood(block)
    shared = {**common, "where": str(common["where"])} if common else theirs.common
    mine = comparing.Stood(block.id, 0, block.kind, _clean(block.kind, data), shared)
    return page(
        "two_versions.html",
        issue=issue,
        status=409,
        block=block,
        name=name_of(block),
        them=_who(block),
        me=signed_in_account(),
        sides=both.sides(mine, theirs),
        gone=block.deleted_at is not None,
        posted=[(name, value) for name, value in request.form.items(multi=True) if name[:2] in (PREFIX, "c.")],
    )


def _clean(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    try:
        return kind_of(kind).clean(data)
    except Invalid:
        return data


def _who(block: Block) -> str:
    account = db.session.get(Account, block.updated_by_id) if block.updated_by_id else None
    return account.name if account else _("Somebody else")


@blueprint.post("/desk/issues/<slug>/write/<uuid:block_id>/both")
@staff(Permission.EDIT_ISSUES)
def issue_block_both(slug: str, block_id: UUID) -> Response:
    """Theirs stays, mine becomes a new section right below it, with a comment that says what it is."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    with transaction():
        block = editing.find_block(issue, str(block_id))
        kind = kind_of(block.kind)
        data, common = read_data(kind.fields, request.form), common_of(request.form)
        mine = both.keep_both(block, data, common, actor=signed_in_account(), now=clock.now())
        made = mine.id
    return to("compose", slug=slug, block_id=made, saved=block_id, anchor="write")
