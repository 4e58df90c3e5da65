"""What the public pages share: their blueprint, the values of their frame, one way to answer by a page."""

from typing import Any

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from ... import clock
from ...models import MailingList
from ..headers import private_page
from ..signing_in import csrf
from .form_tokens import NAME, form_token

blueprint = Blueprint("public", __name__)
# No page of this room knows anybody by a cookie; each form carries a token of its own (see form_tokens).
csrf.exempt(blueprint)


def page(
    template: str, status: int = 200, *, mailing_list: MailingList | None = None, found: bool = False, **values: Any
) -> Response:
    """A page of this room. `mailing_list` gives its name and colour, where the page is about one.

    `found`: search engines may show it; all others hang on a link that somebody was sent.
    """
    frame = _of_list(mailing_list) if mailing_list is not None else {}
    token = {"form_name": NAME, "form_token": form_token(clock.now())}
    response = private_page(render_template(f"public/{template}.html", **{**frame, **token, **values}), status)
    if found:
        del response.headers["X-Robots-Tag"]
    return response


def _of_list(mailing_list: MailingList) -> dict[str, Any]:
    return {
        "publication": mailing_list.name,
        "accent": mailing_list.accent,
        "timezone": mailing_list.timezone,
        "language": mailing_list.language,
        "contact_email": mailing_list.contact_address,
    }
