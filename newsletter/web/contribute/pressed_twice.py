"""A button that signs in, pressed twice before the first answer came: one effect, and the browser is signed in.

The browser throws the first answer away with its cookie, and sends the same form again. So the id of the session is
made of what only that page held; the second press finds the session that the first one began. For a minute: after that
a link or a code that was used stays used.
"""

import secrets
from datetime import datetime, timedelta

from flask import request

from ...config import current_settings
from ...domain.calls.partners import contributor_sessions
from ...models import AddressProof, Contributor
from ...tokens import keyed_hash

#: The hidden field with the page's own random word.
PAGE = "page"
_PURPOSE = "pressed twice.v1"
_LASTS = timedelta(seconds=60)
_SHORTEST = 16


def page_word() -> str:
    """A new random word for a page with such a button."""
    return secrets.token_urlsafe(_SHORTEST)


def session_of(proof: AddressProof) -> str | None:
    """The id of the session that the posted page begins; None for a page without a word of its own."""
    word = request.form.get(PAGE, "")
    if len(word) < _SHORTEST:
        return None
    about = "\0".join((str(proof.public_id), word, request.user_agent.string))
    return keyed_hash(current_settings().secret_keys, _PURPOSE, about).hex()


def signed_in_before(proof: AddressProof, now: datetime) -> tuple[Contributor, str] | None:
    """Who was signed in by this very page a moment ago, and the id of that session."""
    own = session_of(proof)
    if own is None or proof.used_at is None or not proof.used_at <= now < proof.used_at + _LASTS:
        return None
    contributor = contributor_sessions.signed_in_by(own, now)
    return (contributor, own) if contributor is not None and contributor.id == proof.contributor_id else None
