"""The token in a public form. It proves that the form was ours and when it was opened, and it needs no cookie.

Public pages open no session: a cookie would be one more thing to explain, and whoever has a link in a mail acts by
that link, not by what the browser carries.
"""

from datetime import datetime, timedelta

from flask import current_app

from ...errors import TokenInvalid
from ...tokens import Purpose, Signer

NAME = "form"
#: A form that has been open for longer is shown again, with what was typed.
GOOD_FOR = timedelta(hours=24)
#: Nobody reads and fills a form in less; who does may do so less often.
QUICK = timedelta(seconds=2)


def form_token(now: datetime) -> str:
    """What to put into the form's hidden field."""
    return _signer().sign_instant(Purpose.FORM, now)


def opened_at(token: str, now: datetime) -> datetime | None:
    """When the form was opened; None for a token that is not ours, or too old."""
    try:
        opened = _signer().read_instant(Purpose.FORM, token)
    except TokenInvalid:
        return None
    return opened if opened <= now < opened + GOOD_FOR else None


def _signer() -> Signer:
    signer: Signer = current_app.extensions["newsletter_signer"]
    return signer
