"""What we hold about a person, by a link that was mailed to them within the hour; and forgetting it."""

from flask import current_app, request
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.subscribers import access, finding, forgetting
from ...errors import NotFound, TokenError, TokenExpired
from ...models import Subscriber
from ...tokens import Purpose, Signer
from ..access import public
from .form_tokens import NAME, opened_at
from .room import blueprint, page


@blueprint.route("/your-data/<token>", methods=["GET", "POST"])
@public
def own_data(token: str) -> Response:
    """See everything; press one button to have it forgotten."""
    signer: Signer = current_app.extensions["newsletter_signer"]
    now = clock.now()
    try:
        subscriber = access.find_by_fresh_link(signer.read_id(Purpose.OWN_DATA, token), now)
    except TokenExpired:
        return page("own_data_expired", 410)
    except (TokenError, NotFound):
        return page("unknown_link", 404)
    if request.method == "POST" and opened_at(request.form.get(NAME, ""), now) is not None:
        with transaction():
            forgetting.erase_subscriber(subscriber, route="own wish", now=now)
        return page("forgotten")
    return _page(subscriber, token, 400 if request.method == "POST" else 200)


def _page(subscriber: Subscriber, token: str, status: int) -> Response:
    return page("own_data", status, subscriber=subscriber, events=finding.story(subscriber), token=token)
