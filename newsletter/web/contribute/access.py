"""Who is signed in as a contributor: a cookie of their own, beside that of staff, and what makes a form theirs.

Pages of this room work for whoever has no cookie, and keep a text whatever else is wrong. So a form is never refused
for want of a token against forgery (CSRF). Instead a request that changes something is the signed-in person's only
where it is known to come from one of our own pages:

* the cookie is SameSite=Lax, so a form on another site does not carry it at all;
* a browser that says where the form was (Sec-Fetch-Site; all since 2023) is believed, and one on another site was
  refused before it came here; one that says its Origin is believed too ("null", which a page that passes its address
  to nobody makes it say, is no answer);
* where a browser says neither, the form must carry the token of its session (`contributor_guard` in templates).

What fails all of that counts as sent by nobody: a text is kept, and its sender proves the address by mail, as without
a cookie; whatever only the person themselves may do asks them to sign in.
"""

import hmac
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import redirect, request, url_for
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from ... import clock
from ...config import current_settings
from ...db import db
from ...domain.calls.partners import contributor_sessions
from ...i18n import gettext as _
from ...models import Contributor
from ...tokens import keyed_hash
from ..errors import error_page
from . import words_kept
from .room import blueprint

_View = TypeVar("_View", bound=Callable[..., Any])
_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
#: The hidden field that ties a form to the session it was shown in.
GUARD = "contributor_form"
_GUARD_PURPOSE = "contributor-form.v1"
#: In the environment of the one request: an application context may be older than it.
_FOUND = "newsletter.contributor"


def current_contributor() -> Contributor | None:
    """Who is signed in; None for nobody, and for a change that is not known to come from one of our own pages."""
    if _FOUND not in request.environ:
        found = _by_cookie()
        forged = found is not None and request.method in _UNSAFE and not _from_our_page()
        request.environ[_FOUND] = None if forged else found
    contributor: Contributor | None = request.environ[_FOUND]
    return contributor


def signed_in_contributor() -> Contributor:
    """Who is signed in, on a page `for_contributors`."""
    contributor = current_contributor()
    if contributor is None:
        raise RuntimeError("The view is not marked with for_contributors")
    return contributor


def for_contributors(view: _View) -> _View:
    """Only who is signed in sees this page; all others are led to sign in and come back. Stands below `@public`.

    What they had written, when their time to be signed in ran out, comes back to them.
    """

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if current_contributor() is not None:
            return view(*args, **kwargs)
        if request.method in _UNSAFE:
            if _by_cookie() is not None:
                sentence = _("Go back, load the page again and send it once more. Copy your text first.")
                return error_page(400, _("This form is too old"), sentence)
            return words_back() or redirect(url_for("contribute.sign_in"), 303)
        return redirect(url_for("contribute.sign_in", next=request.full_path.rstrip("?")))

    # wraps() keeps the signature in all but the eyes of the type checker.
    return checked  # type: ignore[return-value]  # the same view, guarded


def words_back() -> Response | None:
    """What somebody wrote who is not signed in any more, on a page; None where they wrote nothing.

    What another site's form holds is nobody's words, and stands on no page of ours.
    """
    return words_kept.page_of_posted() if _from_our_page() and words_kept.has_words() else None


def session_id() -> str | None:
    """The random id that the browser carries."""
    return request.cookies.get(cookie_name())


def cookie_name() -> str:
    """`__Host-contributor` over https: no other host and no path can set it (RFC 6265bis, 4.1.3.2)."""
    return "__Host-contributor" if current_settings().https else "contributor"


def sign_browser_in(response: Response, new_session: str) -> Response:
    """Give the browser the id of the session that was started for it. It forgets it when it is closed, or in 20 h."""
    response.set_cookie(
        cookie_name(),
        new_session,
        max_age=contributor_sessions.LASTS,
        secure=current_settings().https,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def sign_browser_out(response: Response) -> Response:
    """Take the cookie back."""
    response.delete_cookie(cookie_name(), secure=current_settings().https, httponly=True, samesite="Lax", path="/")
    return response


def start_session(contributor: Contributor, now: datetime, new_id: str | None = None) -> str:
    """A session for the browser of this request, in the running transaction; returns its id, `new_id` if given."""
    if before := session_id():
        # One browser is one person: whoever was signed in here is not any more.
        contributor_sessions.end(before)
    return contributor_sessions.start(contributor, user_agent=request.user_agent.string, session_id=new_id, now=now)


def own_page(wanted: str) -> str:
    """Where to go after signing in: `wanted` if it is one of this room's own pages, else their own first page."""
    parts = urlsplit(wanted)
    local = not parts.scheme and not parts.netloc and "\\" not in wanted and wanted.isprintable()
    path = parts.path.removeprefix(request.script_root)
    if local and (path == "/contribute" or path.startswith(("/contribute/", "/contribution/"))):
        return wanted
    return url_for("contribute.mine")


def _by_cookie() -> Contributor | None:
    value = session_id()
    return contributor_sessions.signed_in_by(value, clock.now()) if value else None


def _from_our_page() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin", "null")
    if origin != "null":
        parts = urlsplit(current_settings().public_url)
        return origin in (f"{parts.scheme}://{parts.netloc}", request.host_url.rstrip("/"))
    return hmac.compare_digest(request.form.get(GUARD, "").encode(), _guard().encode())


def _guard() -> str:
    return keyed_hash(current_settings().secret_keys, _GUARD_PURPOSE, session_id() or "").hex()


def guard_field() -> Markup:
    """The hidden field for a form of this room; nothing where nobody is signed in."""
    if current_contributor() is None:
        return Markup()
    return Markup('<input type="hidden" name="{}" value="{}">').format(GUARD, _guard())


@blueprint.context_processor
def _who() -> dict[str, Any]:
    """For every template of this room: `contributor`, and the field that makes a form theirs."""
    try:
        return {"contributor": current_contributor(), "contributor_guard": guard_field}
    except SQLAlchemyError:
        # The page that says that the database is away must not fail for the same reason.
        db.session.rollback()
        return {"contributor": None, "contributor_guard": Markup}
