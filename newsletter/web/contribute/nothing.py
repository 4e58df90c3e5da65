""" "Nothing this time": one page with one button, from the mail or the call's own page, and the way back."""

from flask import request, url_for
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.calls.deadline import reading
from ...domain.calls.partners import contributors
from ...domain.calls.reminding import answering
from ...errors import NotFound, Refused, TokenInvalid
from ...i18n import gettext as _
from ...models import Agency, Contributor, Issue
from ...tokens import Purpose
from ..access import public
from .room import blueprint, key_page, signer


@blueprint.app_template_global()
def nothing_token(contributor: Contributor) -> str:
    """The part of an address by which this person answers for their agency, or for themselves, about any issue."""
    return signer().sign_id(Purpose.AGENCY_NOTHING, contributor.public_id)


@blueprint.get("/contribute/<slug>/nothing/<token>")
@public
def nothing(slug: str, token: str) -> Response:
    """What they have said, or a button to say it. Opening it does nothing."""
    issue, person = _of(slug, token)
    return _page(issue, token, person)


@blueprint.post("/contribute/<slug>/nothing/<token>")
@public
def say_nothing(slug: str, token: str) -> Response:
    """They have nothing this time; or, with `undo`, may have something after all."""
    issue, person = _of(slug, token)
    verb = answering.take_back if request.form.get("undo") else answering.say_nothing
    try:
        with transaction():
            verb(issue, answering.answerer_of(issue, person), contributor=person, now=clock.now())
    except Refused as error:
        return _page(issue, token, person, problem=str(error), status=422)
    return Response(status=303, headers={"Location": url_for(".nothing", slug=issue.slug, token=token)})


def _of(slug: str, token: str) -> tuple[Issue, Contributor]:
    issue = reading.find_call(slug, even_cancelled=True)
    try:
        person = contributors.find(signer().read_id(Purpose.AGENCY_NOTHING, token))
    except TokenInvalid:
        raise NotFound(_("There is nothing at this address.")) from None
    if person.ended_at is not None:
        raise NotFound(_("This link no longer works: you do not send in news any more."))
    return issue, person


def _page(issue: Issue, token: str, person: Contributor, *, problem: str = "", status: int = 200) -> Response:
    who = answering.answerer_of(issue, person)
    return key_page(
        "nothing",
        status,
        issue=issue,
        agency=who.name if isinstance(who, Agency) else "",
        answer=answering.answer_of(issue, who),
        closed=issue.state in reading.CLOSED,
        url=url_for(".nothing", slug=issue.slug, token=token),
        problem=problem,
    )
