"""Who else is at the desk: each open page tells every so often where it is, and hears who else is where."""

from datetime import timedelta
from uuid import UUID

from flask import Response, jsonify, render_template, request

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import presence
from newsletter.domain.staff.permissions import Permission
from newsletter.models import Block, Issue
from newsletter.web.access import signed_in_account, staff
from newsletter.web.limits import within

from .room import blueprint, find_issue

#: A page tells three times a minute; somebody may have several open.
_MOST = 60


@blueprint.post("/desk/issues/<slug>/write/here")
@staff(Permission.VIEW_ISSUES)
def issue_here(slug: str) -> Response | tuple[Response, int]:
    """Note where this person is, and answer who else is here, and what was saved meanwhile."""
    issue, account, now = find_issue(slug), signed_in_account(), clock.now()
    if not within([(f"presence:{account.id}", _MOST, timedelta(minutes=1))], now):
        return jsonify(error="Too often."), 429
    issue = find_issue(slug)
    with transaction():
        presence.be_here(issue, _block(issue), account=account, now=now)
    issue = find_issue(slug)
    others = presence.others_here(issue, than=account, now=now)
    block = _block(issue)
    return jsonify(
        content=issue.content_version,
        version=block.version if block else 0,
        html=render_template("editor/_presence.html", others=others, here=block.id if block else None),
        rows=[{"id": str(each.block_id), "name": each.name} for each in others if each.block_id],
    )


def _block(issue: Issue) -> Block | None:
    """The section that the page says it has open, if it is one of the issue's."""
    try:
        wanted = UUID(request.form.get("block", ""))
    except ValueError:
        return None
    return next((block for block in issue.blocks if block.id == wanted), None)
