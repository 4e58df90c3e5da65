"""Figures for Prometheus, for whoever has the token or sits in a network that the settings name; nobody by default.

To everybody else the address does not exist. The networks are asked of the address that the request came from; behind
a proxy that the settings do not count this is the proxy's, which stands for the whole world, so it opens nothing.
"""

import hmac
import ipaddress

from flask import Blueprint, Response, abort, request

from .. import clock
from ..config import Settings, current_settings
from ..operations import metrics
from ..operations.signs import gather
from .access import public

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@public
def figures() -> Response:
    """Queues, rates, ages, processes, counts."""
    settings = current_settings()
    if not (_has_token(settings) or _from_trusted_network(settings)):
        abort(404)
    response = Response(metrics.render(gather(clock.now())), content_type=metrics.CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _has_token(settings: Settings) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.metrics_token
    return wanted is not None and scheme == "Bearer" and hmac.compare_digest(token.encode(), wanted.encode())


def _from_trusted_network(settings: Settings) -> bool:
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded"))
    if forwarded and not settings.trusted_proxies:
        return False
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(one) for one in settings.metrics_from)
