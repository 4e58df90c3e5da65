"""The way back for whoever left by mistake, or was taken off by somebody a mail was forwarded to."""

from flask import current_app, request
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.subscribers import rejoining
from ...errors import NotFound, Refused, TokenError, TokenExpired
from ...tokens import Purpose, Signer
from ..access import public
from .form_tokens import NAME, opened_at
from .room import blueprint, page


@blueprint.route("/come-back/<token>", methods=["GET", "POST"])
@public
def rejoin(token: str) -> Response:
    """Name the list; one button takes the leaving back, as often as it is pressed."""
    signer: Signer = current_app.extensions["newsletter_signer"]
    now, status = clock.now(), 200
    try:
        way = rejoining.find(signer.read_id(Purpose.REJOIN, token), now)
        if request.method == "POST":
            if opened_at(request.form.get(NAME, ""), now) is None:
                status = 400
            else:
                with transaction():
                    rejoining.rejoin(way, now=now)
    except TokenExpired:
        return page("rejoin_over", 410)
    except (TokenError, NotFound):
        return page("unknown_link", 404)
    except Refused:
        return page("rejoin_over", 409)
    return page("rejoin", status, mailing_list=way.mailing_list, way=way, token=token)
