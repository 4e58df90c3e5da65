"""Sending in news: the open calls, the form of one, what became of it, and the deadlines as a calendar."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from ... import addresses, clock
from ...config import current_settings
from ...db import db, transaction
from ...domain.calls import contributing, reading
from ...domain.calls.news import checked
from ...domain.issues import audience
from ...errors import Invalid, NotFound, Problem, TokenInvalid
from ...i18n import gettext as _
from ...models import Issue, Organisation
from ...tokens import Purpose
from ..access import public
from ..fields import put_problems
from ..limits import Limit, hashed, network_of, within
from ..links import public_link
from . import account, agency, sign_in, views_page
from .calendar import calendar
from .forms import OPENED, TRAP, ContributionForm
from .room import blueprint, days_left, kept_token, key_page, opened_at, opened_token, other_calls, page, signer

__all__ = ["account", "agency", "blueprint", "sign_in", "views_page"]

_HOUR = timedelta(hours=1)
#: Nobody reads and fills the form in less. What comes sooner is kept; no mail goes to the address it names.
_QUICK = timedelta(seconds=3)


@blueprint.get("/contribute")
@public
def calls() -> Response:
    """The open calls, the nearest deadline first."""
    return page("calls", calls=other_calls(clock.now()))


@blueprint.get("/contribute/<slug>")
@public
def call(slug: str) -> Response:
    """What is asked, until when, and the form; after the deadline, that it has passed."""
    issue = reading.find_call(slug)
    if issue.slug != slug:
        return redirect(url_for(".call", slug=issue.slug), 301)
    now = clock.now()
    if not issue.accepts_contributions(now, now):
        return page("closed", issue=issue, calls=other_calls(now, issue))
    return _form_page(issue, ContributionForm(), opened_token(now), now)


@blueprint.post("/contribute/<slug>")
@public
def contribute(slug: str) -> Response:
    """Keep what was sent. A form that was wrong, late or one too many comes back or is kept, with every word."""
    issue = reading.find_call(slug, even_cancelled=True)
    now = clock.now()
    form = ContributionForm(request.form)
    token = request.form.get(OPENED, "")
    opened = opened_at(token, now)
    # A form without a good token gets one that is good from now on, so that its time can be told at all.
    token = token if opened != now else opened_token(now)
    valid = _validate(form)
    if not _within_limits(form, now):
        return _form_page(issue, form, token, now, 429, [Problem("", _too_many())])
    if not valid:
        return _form_page(issue, form, token, now, 422)
    machine = bool(request.form.get(TRAP)) or now - opened < _QUICK
    with transaction():
        outcome = contributing.save_contribution(issue, form.news(), opened_at=opened, now=now, copy=not machine)
    return redirect(url_for(".kept", token=kept_token(outcome.contribution)), 303)


@blueprint.get("/contribution/<token>")
@public
def kept(token: str) -> Response:
    """What was sent, and what happens to it; for its sender, by a link that is a key."""
    try:
        contribution = reading.find_contribution(signer().read_id(Purpose.CONTRIBUTION, token))
    except TokenInvalid:
        raise NotFound(_("There is nothing at this address.")) from None
    return key_page(
        "kept",
        issue=contribution.issue,
        contribution=contribution,
        copied=contributing.copy_was_sent(contribution),
        calls=other_calls(clock.now(), contribution.issue),
    )


@blueprint.get("/deadlines.ics")
@public
def deadlines() -> Response:
    """The deadlines of all open calls, for calendars to subscribe to."""
    return _calendar(reading.open_calls(clock.now()))


@blueprint.get("/contribute/<slug>/deadline.ics")
@public
def deadline(slug: str) -> Response:
    """One deadline, to put into a calendar."""
    return _calendar([reading.find_call(slug)])


def _calendar(issues: Iterable[Issue]) -> Response:
    organisation = db.session.get(Organisation, 1)
    text = calendar(
        [(issue, reading.deadline_set_at(issue), public_link("contribute.call", slug=issue.slug)) for issue in issues],
        name=_("Deadlines: {publisher}").format(publisher=organisation.name if organisation else _("Newsletter")),
        host=current_settings().public_host,
    )
    return Response(text, content_type="text/calendar; charset=utf-8")


def _validate(form: ContributionForm) -> bool:
    """Whether all of it can be used; every problem, the form's and the domain's, stands at its field."""
    valid: bool = form.validate()
    try:
        checked(form.news())
    except Invalid as error:
        put_problems(form, error)
        return False
    return valid


def _form_page(
    issue: Issue,
    form: ContributionForm,
    token: str,
    now: datetime,
    status: int = 200,
    problems: list[Problem] | None = None,
) -> Response:
    closing = issue.deadline.closes_at if issue.deadline else now
    return page(
        "call",
        status,
        issue=issue,
        form=form,
        problems=problems or [],
        opened=token,
        readers=audience.count(issue) // 100 * 100,
        left=days_left(issue, now),
        seconds_left=max(0, int((closing - now).total_seconds())),
        is_open=issue.accepts_contributions(now, now),
        trap=TRAP,
        calls=other_calls(now, issue),
    )


def _within_limits(form: ContributionForm, now: datetime) -> bool:
    """Count the request. A whole school may send in its news on the last afternoon; one machine may not fill a desk."""
    address = hashed(addresses.key(form.contact_address.data or ""))
    limits: list[Limit] = [
        (f"contribution network:{hashed(network_of(request.remote_addr))}", 60, _HOUR),
        (f"contribution address:{address}", 20, _HOUR),
        ("contribution everywhere:", 1000, _HOUR),
    ]
    return within(limits, now)


def _too_many() -> str:
    return _(
        "A lot was sent from your network, or for your address, this hour. "
        "Your text is still here: send it again in an hour."
    )
