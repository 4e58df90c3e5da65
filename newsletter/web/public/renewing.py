"""Whether somebody still wants a list: one page with one button, which also takes back a leaving for silence."""

from flask import current_app, request
from werkzeug.wrappers import Response

from ... import clock
from ...config import current_settings
from ...db import transaction
from ...domain.subscribers import renewal_answers
from ...errors import NotFound, Refused, TokenError, TokenExpired
from ...tokens import Purpose, Signer, unsubscribe_token
from ..access import public
from ..limits import cut_short
from .form_tokens import NAME, opened_at
from .room import blueprint, page


@blueprint.route("/still/<token>", methods=["GET", "POST"])
@public
def renew(token: str) -> Response:
    """Name the list; one button says yes, as often as it is pressed."""
    signer: Signer = current_app.extensions["newsletter_signer"]
    now, status = clock.now(), 200
    try:
        question = renewal_answers.find(signer.read_id(Purpose.RENEW, token), now)
        if request.method == "POST":
            if opened_at(request.form.get(NAME, ""), now) is None:
                status = 400
            else:
                with transaction():
                    renewal_answers.keep(question, now=now, network=cut_short(request.remote_addr))
    except TokenExpired:
        return page("renew_over", 410, sentence="")
    except (TokenError, NotFound):
        return page("unknown_link", 404)
    except Refused as error:
        return page("renew_over", 409, mailing_list=question.mailing_list, sentence=str(error))
    leave = unsubscribe_token(current_settings().secret_keys, question.subscription.public_id)
    wording = renewal_answers.wording_of(question, now)
    return page(
        "renew", status, mailing_list=question.mailing_list, question=question, token=token, leave=leave,
        wording=wording,
    )  # fmt: skip
