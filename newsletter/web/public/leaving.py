"""The address for leaving: a page with one button for people, and RFC 8058's POST for mail programs, at one URL.

What arrives here comes from a few provider addresses, without cookies, context or redirects; it is never limited,
never refused for want of a token, and repeatable (RFC 8058).
"""

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from ... import clock
from ...config import current_settings
from ...db import transaction
from ...domain.subscribers import access, leaving, rejoining
from ...errors import NotFound, TokenInvalid
from ...models import Subscription
from ...tokens import read_unsubscribe_token
from ..access import public
from .form_tokens import NAME, opened_at
from .forms import WhyForm
from .room import blueprint, page


@blueprint.route("/u/<token>", methods=["GET", "POST"])
@public
def unsubscribe(token: str) -> Response:
    """One button, or RFC 8058's one click."""
    subscription = _subscription(token)
    if subscription is None:
        return page("unknown_link", 404)
    if request.method != "POST":
        return _page(subscription, token)
    now = clock.now()
    if is_one_click(request.form):
        route = "one-click"
    elif opened_at(request.form.get(NAME, ""), now) is not None:
        route = "link"
    else:
        return _page(subscription, token, 400)
    with transaction():
        leaving.unsubscribe(subscription, route=route, now=now)
    return _page(subscription, token)


def is_one_click(form: MultiDict[str, str]) -> bool:
    """Whether the body is exactly the pair that RFC 8058 §3.2 asks for, urlencoded or multipart."""
    return list(form.items(multi=True)) == [("List-Unsubscribe", "One-Click")]


@blueprint.post("/u/<token>/why")
@public
def why(token: str) -> Response:
    """A reason, if somebody cares to give one."""
    subscription = _subscription(token)
    if subscription is None:
        return page("unknown_link", 404)
    now, form = clock.now(), WhyForm(request.form)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _page(subscription, token, 400)
    if form.why.data in set(leaving.WhyLeft):
        with transaction():
            leaving.say_why(subscription, leaving.WhyLeft(form.why.data), now=now)
    return _page(subscription, token, thanks=True)


@blueprint.post("/u/<token>/undo")
@public
def undo(token: str) -> Response:
    """A way back, mailed to the address that left. What is said is the same whether one goes out or not."""
    subscription = _subscription(token)
    if subscription is None:
        return page("unknown_link", 404)
    now = clock.now()
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _page(subscription, token, 400)
    with transaction():
        rejoining.send_link(subscription, now=now)
    return _page(subscription, token, mailed=True)


def _page(
    subscription: Subscription, token: str, status: int = 200, *, thanks: bool = False, mailed: bool = False
) -> Response:
    return page(
        "unsubscribe",
        status,
        mailing_list=subscription.mailing_list,
        subscription=subscription,
        address=subscription.subscriber.address if subscription.subscriber else "",
        active=access.is_active(subscription),
        token=token,
        why=WhyForm(),
        thanks=thanks,
        mailed=mailed,
    )


def _subscription(token: str) -> Subscription | None:
    try:
        return access.find_subscription(read_unsubscribe_token(current_settings().secret_keys, token))
    except (TokenInvalid, NotFound):
        return None
