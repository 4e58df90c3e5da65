"""What we hold about a person, by a link that was mailed to them within the hour; and forgetting it."""

from datetime import datetime

from flask import current_app, request
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.subscribers import access, forgetting, sectors, story
from ...errors import NotFound, TokenError, TokenExpired
from ...models import Subscriber
from ...tokens import Purpose, Signer
from ..access import public
from ..notice_names import NAMES
from .form_tokens import NAME, opened_at
from .room import blueprint, page


@blueprint.route("/your-data/<token>", methods=["GET", "POST"])
@public
def own_data(token: str) -> Response:
    """See everything; press one button to have it forgotten."""
    now = clock.now()
    subscriber = by_link(token, now)
    if not isinstance(subscriber, Subscriber):
        return subscriber
    if request.method == "POST" and opened_at(request.form.get(NAME, ""), now) is not None:
        with transaction():
            forgetting.erase_subscriber(subscriber, route="own wish", now=now)
        return page("forgotten")
    return _page(subscriber, token, 400 if request.method == "POST" else 200)


def by_link(token: str, now: datetime) -> Subscriber | Response:
    """Whom the link was mailed to within the hour, or the page that says that it is over."""
    signer: Signer = current_app.extensions["newsletter_signer"]
    try:
        return access.find_by_fresh_link(signer.read_id(Purpose.OWN_DATA, token), now)
    except TokenExpired:
        return page("own_data_expired", 410)
    except (TokenError, NotFound):
        return page("unknown_link", 404)


def _page(subscriber: Subscriber, token: str, status: int) -> Response:
    sector = sectors.names().get(subscriber.sector, "")
    events = story.story(subscriber, notice_names=NAMES)
    return page("own_data", status, subscriber=subscriber, sector=sector, events=events, token=token)
