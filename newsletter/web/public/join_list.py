"""One list more, for whoever follows "Join this list" from their own mail. Everybody else is shown to the form."""

import re

from flask import request
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.subscribers import offering, preferences
from ...errors import Refused
from ..access import public
from ..limits import cut_short
from .form_tokens import NAME, opened_at
from .preferences import subscriber_of
from .room import blueprint, page

#: Mail programs glue a full stop or a bracket to an address.
_SLUG = re.compile(r"[a-z0-9-]+")


@blueprint.route("/preferences/<token>/join/<name>", methods=["GET", "POST"])
@public
def join_list(token: str, name: str) -> Response:
    """Name the list and what it is for; one button adds it, as often as it is pressed."""
    subscriber, now = subscriber_of(token), clock.now()
    found = _SLUG.match(name)
    offer = next((one for one in offering.offers(now) if found and one.mailing_list.slug == found.group()), None)
    if subscriber is None or offer is None:
        return page("unknown_link", 404)
    status, refused = 200, ""
    if request.method == "POST":
        if opened_at(request.form.get(NAME, ""), now) is None:
            status = 400
        else:
            try:
                with transaction():
                    preferences.add_list(subscriber, offer, network=cut_short(request.remote_addr), now=now)
            except Refused as error:
                status, refused = 409, str(error)
    joined = any(one.id == offer.mailing_list.id for one in preferences.lists_of(subscriber))
    return page(
        "join_list",
        status,
        mailing_list=offer.mailing_list,
        address=subscriber.address,
        offer=offer,
        joined=joined,
        refused=refused,
        token=token,
    )
