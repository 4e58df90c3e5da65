"""Our SessionInterface: a signed cookie with a random id, and a row for whoever is signed in.

The cookie carries little: the id, the CSRF nonce, sentences to show once. Who it is and everything else stand in
the table `web_session`, where it can be ended. Reading never writes: a GET sets a cookie at most.
"""

import hashlib
from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response, g, request, session
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.datastructures import CallbackDict

from .. import clock
from ..config import Settings
from ..domain.staff import browser_sessions
from ..models import Account, WebSession

_SALT = "newsletter.session.v1"
_ID = "sid"
_OLDEST_COOKIE = int(browser_sessions.ABSOLUTE / timedelta(seconds=1))
#: What Flask-Login and Flask-WTF keep in `g` for one request.
_OF_ONE_REQUEST = ("_login_user", "csrf_token", "csrf_valid")


class BrowserSession(CallbackDict[str, Any], SessionMixin):
    """What the browser carries. `row` is what the server knows about it, read when it is first asked for."""

    def __init__(self, initial: dict[str, Any] | None = None) -> None:
        super().__init__(initial, _mark)
        self.modified = False
        self._row: WebSession | None = None
        self._looked = False

    @property
    def id(self) -> str | None:
        """The random id, or None for a browser that has none."""
        value = self.get(_ID)
        return value if isinstance(value, str) else None

    @property
    def row(self) -> WebSession | None:
        """The server's half, or None where there is none or it has ended."""
        if not self._looked:
            self._looked = True
            self._row = browser_sessions.find(self.id, clock.now()) if self.id else None
        return self._row

    def begin(self, session_id: str) -> None:
        """Go on under a new id, with nothing of the old session but the sentences to show (session fixation)."""
        flashes = self.get("_flashes")
        self.clear()
        self[_ID] = session_id
        if flashes:
            self["_flashes"] = flashes
        self._looked = False
        _forget_request_state()

    def end(self) -> None:
        """Carry nothing any more."""
        self.clear()
        self._row, self._looked = None, True
        _forget_request_state()


def _mark(changed: "CallbackDict[str, Any]") -> None:
    changed.modified = True  # type: ignore[attr-defined]  # the mixin has it


def _forget_request_state() -> None:
    for name in _OF_ONE_REQUEST:
        g.pop(name, None)


class CookieAndRow(SessionInterface):
    """Reads and writes the cookie. The name is `__Host-newsletter` over https (RFC 6265bis, 4.1.3.2)."""

    def __init__(self, settings: Settings) -> None:
        self.cookie_name = "__Host-newsletter" if settings.https else "newsletter"
        self._secure = settings.https
        self._serializer = URLSafeTimedSerializer(
            list(settings.secret_keys),
            salt=_SALT,
            serializer=TaggedJSONSerializer(),
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        # A request may run inside an application context older than itself (tests, the command line).
        _forget_request_state()
        cookie = request.cookies.get(self.cookie_name)
        return BrowserSession(self.read(cookie) if cookie else None)

    def read(self, cookie: str) -> dict[str, Any] | None:
        """What a cookie's value holds; None for one that is not ours, or too old."""
        try:
            value = self._serializer.loads(cookie, max_age=_OLDEST_COOKIE)
        except BadData:
            return None
        return value if isinstance(value, dict) else None

    def write(self, content: dict[str, Any]) -> str:
        """The cookie's value for this content."""
        value = self._serializer.dumps(content)
        return value.decode() if isinstance(value, bytes) else value

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        # What is the same for everybody is cached for everybody.
        if not response.cache_control.public:
            response.vary.add("Cookie")
        if not session.modified:
            return
        if not session:
            if self.cookie_name in request.cookies:
                response.delete_cookie(self.cookie_name, secure=self._secure, httponly=True, samesite="Lax", path="/")
            return
        response.set_cookie(
            self.cookie_name,
            self.write(dict(session)),
            secure=self._secure,
            httponly=True,
            samesite="Lax",
            path="/",
        )


def browser_session() -> BrowserSession:
    """The session of the running request, under its own type."""
    value = session._get_current_object()  # type: ignore[attr-defined]  # a proxy
    if not isinstance(value, BrowserSession):
        raise TypeError("The application was made without install_sessions()")
    return value


def signed_in_by_session() -> Account | None:
    """Whom the request's session signs in: an account that is active, in a session that has not ended."""
    from ..db import db

    row = browser_session().row
    if row is None or row.account_id is None:
        return None
    account = db.session.get(Account, row.account_id)
    return account if account is not None and account.active else None


def install_sessions(app: Flask) -> None:
    """Put our interface in place of Flask's."""
    settings: Settings = app.config["NEWSLETTER"]
    app.session_interface = CookieAndRow(settings)
