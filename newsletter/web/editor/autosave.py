"""What a page hears back when its words are saved while somebody types: the same view as Save, answered in JSON.

The header `X-Autosave` asks for it. Every answer says what the page needs to be honest: the version to build on, or why
nothing was saved. What there is to mend is asked for by a request of its own, once nobody types: a save waits for no
check.
"""

from collections.abc import Callable
from uuid import UUID

from flask import jsonify, render_template, request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.domain.issues import editing
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid
from newsletter.i18n import gettext as _
from newsletter.states import IssueState
from newsletter.web.access import staff

from . import desk, looks
from .room import blueprint, find_issue

_HEADER = "X-Autosave"
_ENDS_WITH_WORDS = (IssueState.IN_REVIEW, IssueState.APPROVED)


def asked() -> bool:
    """Whether the request is a page's own, and wants JSON."""
    return _HEADER in request.headers


def saved(slug: str, block_id: UUID, was: IssueState) -> Response:
    """The section is saved: its version, and when. `was` is the issue's state before."""
    issue = find_issue(slug)
    block = editing.find_block(issue, str(block_id))
    ended = was in _ENDS_WITH_WORDS and issue.state not in _ENDS_WITH_WORDS
    return jsonify(
        expected=block.version,
        content=issue.content_version,
        at=looks.saved_words(issue, clock.now()),
        remark=_("The approval ended, since the words changed.") if ended else "",
    )


@blueprint.get("/desk/issues/<slug>/write/<uuid:block_id>/found")
@staff(Permission.EDIT_ISSUES)
def issue_block_found(slug: str, block_id: UUID) -> Response:
    """What the checks find in the issue as it is saved: for the open section, and for each line of the outline."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    block = editing.find_block(issue, str(block_id))
    findings, broken = desk.findings_of(issue)
    found, stops = desk.mends(block, findings)
    return jsonify(
        content=issue.content_version,
        mend=render_template("editor/_mend.html", found=found, stops=stops),
        stopping=sum(1 for each in findings if each.stops),
        broken=broken,
        rows=[
            {"id": str(row.block.id), "name": row.name, "sign": row.sign, "words": row.sign_words}
            for row in desk.outline(issue, block, findings)
        ],
    )


def clashed() -> Response:
    """Somebody else changed the section: nothing was saved. The page's own form leads to both versions."""
    return _answer(409, clash=True)


def refused(error: Invalid, control_of: Callable[[str], str]) -> Response:
    """Nothing was saved; which controls are wrong, and why."""
    problems = [{"id": control_of(each.field), "sentence": each.sentence} for each in error.problems]
    return _answer(422, error=str(error), problems=problems)


def _answer(status: int, **values: object) -> Response:
    response = jsonify(**values)
    response.status_code = status
    return response
