"""Contributions compared: with the section that editors made of it, with what it was before, with another one."""

from flask import request
from werkzeug.wrappers import Response

from newsletter.domain.calls.deadline import reading
from newsletter.domain.calls.decisions import comparing
from newsletter.domain.calls.decisions.placing import section_of
from newsletter.domain.calls.texts import sent_pictures
from newsletter.domain.staff.permissions import Permission
from newsletter.web.access import staff

from .contribution import find_contribution
from .room import blueprint, page, to


@blueprint.get("/desk/contributions/<reference>/changes")
@staff(Permission.VIEW_ISSUES)
def contribution_changes(reference: str) -> tuple[str, int]:
    """What its sender changed from one time to the next, and what editors changed in its section."""
    found = find_contribution(reference, Permission.VIEW_ISSUES)
    section = section_of(found)
    return page(
        "contribution_changes.html",
        under="editor.contributions",
        found=found,
        section=section,
        edited=comparing.edited(found, section) if section else (),
        pictures=sent_pictures.shown_with(found),
        steps=list(reversed(comparing.history(found))),
        timezone=found.issue.mailing_list.timezone,
        accent=found.issue.mailing_list.accent,
    )


@blueprint.get("/desk/contributions/<reference>/beside")
@staff(Permission.VIEW_ISSUES)
def contribution_beside(reference: str) -> Response | tuple[str, int]:
    """Two of them, side by side: `?with=` names the other."""
    found = find_contribution(reference, Permission.VIEW_ISSUES)
    if not request.args.get("with"):
        return to("contribution", reference=found.reference)
    other = find_contribution(request.args["with"], Permission.VIEW_ISSUES)
    return page(
        "contribution_beside.html",
        under="editor.contributions",
        found=found,
        other=other,
        rows=comparing.side_by_side(found, other),
        pictures={"left": sent_pictures.shown_with(found), "right": sent_pictures.shown_with(other)},
        others=[each for each in reading.contributions_to(found.issue) if each.id != found.id],
        timezone=found.issue.mailing_list.timezone,
        accent=found.issue.mailing_list.accent,
    )
