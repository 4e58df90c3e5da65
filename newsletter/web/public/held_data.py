"""All that is held on a person, table by table and as a file, by the link that was mailed to them within the hour."""

import json

from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from ... import clock
from ...domain.subscribers import held
from ...i18n import gettext as _
from ...models import Subscriber
from ..access import public
from ..headers import private_page
from .own_data import by_link
from .room import blueprint, page

#: The tables as people know them; what is in none of these stands under its own name.
TABLES = {
    "subscriber": _("You"),
    "subscription": _("What you get, and what you got"),
    "consent": _("What you agreed to, word for word"),
    "delivery": _("Issues that were sent to you"),
    "feedback": _("What mail servers sent back"),
    "sign_up": _("Sign-ups"),
    "address_change": _("Changes of address"),
    "suppression": _("Why no mail may go to you"),
    "notice": _("Mails to you alone"),
    "contributor": _("You as somebody who sends in news"),
    "contribution": _("News that you sent in"),
    "contribution_revision": _("Earlier forms of that news"),
    "views_answer": _("Answers to a call for views"),
    "data_complaint": _("Complaints about your data"),
    "account": _("You as a member of the team"),
    "activity": _("What is noted of what you did"),
}


@blueprint.get("/your-data/<token>/everything")
@public
def everything(token: str) -> Response:
    """Every row of every table that says something of the person."""
    subscriber = by_link(token, clock.now())
    if not isinstance(subscriber, Subscriber):
        return subscriber
    found = held.held_about(subscriber.address)
    return page("everything", tables=[(TABLES.get(name, name), rows) for name, rows in found.items()], token=token)


@blueprint.get("/your-data/<token>/data.json")
@public
def everything_as_file(token: str) -> Response:
    """The same for machines (UK GDPR art. 20)."""
    subscriber = by_link(token, clock.now())
    if not isinstance(subscriber, Subscriber):
        return subscriber
    response: FlaskResponse = private_page(
        json.dumps(held.held_about(subscriber.address), ensure_ascii=False, indent=2)
    )
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = 'attachment; filename="what-we-hold-about-you.json"'
    return response
