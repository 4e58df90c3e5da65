"""From nobody to somebody: the password makes a step of 15 minutes, the code makes the session."""

from urllib.parse import urlsplit

from flask import current_app, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from ... import clock
from ...db import db, transaction
from ...domain.staff import browser_sessions, one_time_codes, second_step
from ...models import Account
from ..sessions import browser_session

_ACCOUNT, _NEXT, _SECRET, _THROUGH = "account", "next", "secret", "through"
#: Of a sign-in at the organisation's own service.
ORGANISATION = "organisation"


def begin(account: Account, next_path: str, *, through: str = "") -> Response:
    """The password was right: ask for the code, or, where there is no app yet, have one connected.

    `through` is ORGANISATION where it was no password but the organisation's account.
    """
    has_app = second_step.has_app(account)
    secret = "" if has_app else one_time_codes.new_secret()
    account_id, now = account.id, clock.now()
    with transaction():
        known = {_ACCOUNT: account_id, _NEXT: next_path, _SECRET: secret, _THROUGH: through}
        step = browser_sessions.start_step(known, now=now)
    browser_session().begin(step)
    return redirect(url_for("account.code" if has_app else "account.connect_app"), 303)


def whose() -> Account | None:
    """Whose password was right in this browser, if that is less than 15 minutes ago."""
    row = browser_session().row
    if row is None or row.account_id is not None or _ACCOUNT not in row.data:
        return None
    account = db.session.get(Account, row.data[_ACCOUNT])
    return account if account is not None and account.active else None


def secret() -> str:
    """The secret that the app is being connected with, or ""."""
    row = browser_session().row
    return str(row.data.get(_SECRET, "")) if row is not None else ""


def next_path() -> str:
    """Where the person wanted to go, or ""."""
    row = browser_session().row
    return str(row.data.get(_NEXT, "")) if row is not None else ""


def finish(account: Account, *, how: str) -> str:
    """In the running transaction: sign the browser in. The id returned goes to `browser_session().begin` after it."""
    now, step, row = clock.now(), browser_session().id, browser_session().row
    through = ORGANISATION if how == ORGANISATION else str(row.data.get(_THROUGH, "")) if row is not None else ""
    second_step.signed_in(account, how=how, now=now)
    if step is not None:
        browser_sessions.end(step)
    user_agent = request.headers.get("User-Agent", "")
    return browser_sessions.start(account, user_agent=user_agent, through=through, now=now)


def start_again() -> Response:
    """Nobody's password was right here, or it was too long ago."""
    return redirect(url_for("account.sign_in"), 303)


def on_the_way(next_path: str) -> Response:
    """On to where they wanted to go, or to their desk."""
    return redirect(safe_path(next_path) or desk_url(), 303)


def desk_url() -> str:
    """The first page after signing in."""
    return url_for("editor.quarter" if "editor.quarter" in current_app.view_functions else "account.account")


def safe_path(typed: str) -> str:
    """`typed` where it is the path of a page of ours that can be looked at, else "" (ASVS 3.7.2).

    A browser reads a backslash as a slash and drops tabs and line ends: neither may stand in it.
    """
    if not typed.startswith("/") or typed.startswith("//") or "\\" in typed or not typed.isprintable():
        return ""
    parts = urlsplit(typed)
    if parts.scheme or parts.netloc:
        return ""
    try:
        # Inside a request there always is an adapter.
        current_app.create_url_adapter(request).match(parts.path, method="GET")  # type: ignore[union-attr]  # in a request it is there
    except RequestRedirect:
        return ""
    except HTTPException:
        return ""
    return request.script_root + typed
