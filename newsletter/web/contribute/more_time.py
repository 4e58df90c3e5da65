"""Asking for more time: with the key to a text that came too late or is not sent yet, or signed in."""

from datetime import timedelta

from flask import request, url_for
from werkzeug.wrappers import Response
from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice

from ... import clock
from ...db import transaction
from ...domain.calls.deadline import reading
from ...domain.calls.reminding import extending
from ...errors import Invalid, NotFound, Problem, Refused, TokenInvalid
from ...i18n import gettext as _
from ...models import Contribution, Contributor, Issue
from ...tokens import Purpose
from ..access import public
from ..fields import put_problems
from ..form_bases import PlainForm
from ..limits import hashed, network_of, within
from .access import current_contributor, words_back
from .room import blueprint, key_page, signer

_HOUR = timedelta(hours=1)
_MOST_AN_HOUR = 20
#: By the value of a choice: working days after the deadline.
_OFFERED = {"soon": 1, "later": 3}


class MoreTimeForm(PlainForm):
    """When it will be ready, and a word why."""

    ready = RadioField(_("When will it be ready?"), validate_choice=False)
    reason = TextAreaField(_("Anything the editors should know? (optional)"), render_kw={"rows": 3})

    def offer(self, issue: Issue) -> None:
        """Write the choices out: by one of two days, and now, which while the call is open needs no asking."""
        now = clock.now()
        self.ready.choices = [
            SelectChoice(name, _("By {when}").format(when=extending.suggested_end(issue, now, days=days).words))
            for name, days in _OFFERED.items()
        ]
        if issue.deadline is None or not issue.deadline.is_open(now):
            self.ready.choices.insert(0, SelectChoice("now", _("It is ready now")))
        self.ready.data = self.ready.data or self.ready.choices[0].value


@blueprint.get("/contribution/<token>/more-time")
@public
def more_time(token: str) -> Response:
    """The question, for whoever holds the key to a text."""
    piece = _of_token(token)
    return _page(piece.issue, MoreTimeForm(), _key_url(token), contribution=piece)


@blueprint.post("/contribution/<token>/more-time")
@public
def ask_more_time(token: str) -> Response:
    """The editors are asked."""
    piece = _of_token(token)
    return _ask(piece.issue, _key_url(token), contribution=piece)


@blueprint.route("/contribute/<slug>/more-time", methods=["GET", "POST"])
@public
def more_time_mine(slug: str) -> Response:
    """The question, and asking it, for somebody who is signed in; others are led to sign in, where there is a call."""
    issue, person = reading.find_call(slug), current_contributor()
    url = url_for(".more_time_mine", slug=issue.slug)
    if person is None:
        return words_back() or Response(status=303, headers={"Location": url_for(".sign_in", next=url)})
    return (
        _ask(issue, url, person=person)
        if request.method == "POST"
        else _page(issue, MoreTimeForm(), url, person=person)
    )


def _ask(
    issue: Issue, url: str, *, contribution: Contribution | None = None, person: Contributor | None = None
) -> Response:
    form, now = MoreTimeForm(request.form), clock.now()
    limit = (f"more-time:{hashed(network_of(request.remote_addr))}", _MOST_AN_HOUR, _HOUR)
    if not within([limit], now):
        many = Problem("", _("That was often. Wait an hour, or write to the editors."))
        return _page(issue, form, url, contribution=contribution, person=person, problems=[many], status=429)
    days = _OFFERED.get(form.ready.data or "")
    wished = extending.suggested_end(issue, now, days=days) if days else None
    try:
        with transaction():
            extending.ask(
                issue, contributor=person, contribution=contribution, reason=form.reason.data or "", wished=wished,
                now=now,
            )  # fmt: skip
    except Invalid as error:
        put_problems(form, error)
        return _page(issue, form, url, contribution=contribution, person=person, status=422)
    except Refused as error:
        problem = Problem("", str(error))
        return _page(issue, form, url, contribution=contribution, person=person, problems=[problem], status=422)
    return Response(status=303, headers={"Location": url})


def _page(
    issue: Issue,
    form: MoreTimeForm,
    url: str,
    *,
    contribution: Contribution | None = None,
    person: Contributor | None = None,
    problems: list[Problem] | None = None,
    status: int = 200,
) -> Response:
    form.offer(issue)
    return key_page(
        "more_time",
        status,
        issue=issue,
        form=form,
        url=url,
        contribution=contribution,
        extension=extending.own_extension(issue, contributor=person, contribution=contribution),
        closed=issue.state in reading.CLOSED,
        now=clock.now(),
        problems=problems or [],
    )


def _of_token(token: str) -> Contribution:
    try:
        return reading.find_contribution(signer().read_id(Purpose.CONTRIBUTION, token))
    except TokenInvalid:
        raise NotFound(_("There is nothing at this address.")) from None


def _key_url(token: str) -> str:
    return url_for(".more_time", token=token)
