"""What the pages for contributors share: their blueprint, the values of their frame, the token of their form."""

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, render_template, url_for
from werkzeug.wrappers import Response

from ... import dates
from ...db import db
from ...domain.calls.deadline import reading
from ...domain.calls.deadline.rights import Right
from ...errors import TokenInvalid
from ...i18n import gettext as _
from ...i18n import ngettext
from ...models import Contribution, Issue, Organisation
from ...tokens import Purpose, Signer
from ..headers import private_page
from ..signing_in import csrf

blueprint = Blueprint("contribute", __name__)
# A token bound to a cookie would cost somebody their text where cookies are blocked or have expired. What protects
# those who are signed in stands in access.py.
csrf.exempt(blueprint)


def signer() -> Signer:
    found: Signer = current_app.extensions["newsletter_signer"]
    return found


def opened_token(now: datetime) -> str:
    """What the form carries to prove when it was opened."""
    return signer().sign_instant(Purpose.CONTRIBUTION_FORM, now)


def opened_at(token: str, now: datetime) -> datetime:
    """When the form was opened; `now` where the token proves nothing."""
    try:
        return min(signer().read_instant(Purpose.CONTRIBUTION_FORM, token), now)
    except TokenInvalid:
        return now


def kept_token(contribution: Contribution) -> str:
    """The part of an address that leads its sender, and nobody else, to what was sent."""
    return signer().sign_id(Purpose.CONTRIBUTION, contribution.public_id)


def page(template: str, status: int = 200, *, issue: Issue | None = None, **values: Any) -> Response:
    """A page of this room; with an issue, in its list's name, zone and colour. Kept in no cache: it holds a time."""
    frame = _of_issue(issue) if issue is not None else {}
    response = Response(render_template(f"contribute/{template}.html", **frame, **values), status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


def key_page(template: str, status: int = 200, *, issue: Issue | None = None, **values: Any) -> Response:
    """A page whose address or content is somebody's own: a key to their text, who they are."""
    frame = _of_issue(issue) if issue is not None else {}
    return private_page(render_template(f"contribute/{template}.html", **frame, **values), status)


def _of_issue(issue: Issue) -> dict[str, Any]:
    mailing_list, organisation = issue.mailing_list, db.session.get(Organisation, 1)
    return {
        "issue": issue,
        "deadline": issue.deadline,
        "publication": mailing_list.name,
        "accent": mailing_list.accent,
        "timezone": mailing_list.timezone,
        "language": mailing_list.language,
        "contact_email": mailing_list.contact_address,
        "publisher": organisation.name if organisation else None,
    }


def days_left(issue: Issue, now: datetime) -> str:
    """ "3 days left.", "It is tomorrow."; on the day itself what time it is here, since no other clock counts."""
    deadline = issue.deadline
    if deadline is None:
        return ""
    here = dates.local(now, deadline.zone)
    days = (deadline.day - here.date()).days
    if days <= 0:
        return _("It is today, and here it is {time} now.").format(time=dates.clock_time(here.time()))
    if days == 1:
        return _("It is tomorrow.")
    return ngettext("%(number)s day left.", "%(number)s days left.", days) % {"number": days}


def seconds_left(given: Right | None, now: datetime) -> int | None:
    """Until the end of the time that somebody has; None where it is over, or there is none."""
    if given is None or given.until is None or not given.until.is_open(now):
        return None
    return int((given.until.closes_at - now).total_seconds())


def other_calls(now: datetime, but: Issue | None = None) -> list[dict[str, str]]:
    """Calls that are open, for a list of links: {publication, title, words, url}.

    Of each list the one that closes next, and whatever was opened by hand: not a whole year that is laid out.
    """
    calls = reading.open_calls(now)
    first = {issue.list_id: issue.id for issue in reversed(calls)}
    return [
        {
            "publication": issue.mailing_list.name,
            "title": issue.title,
            "words": issue.deadline.words if issue.deadline else "",
            "left": days_left(issue, now),
            "url": url_for("contribute.call", slug=issue.slug),
        }
        for issue in calls
        if (issue.call_opened_at or first[issue.list_id] == issue.id) and (but is None or issue.id != but.id)
    ]
