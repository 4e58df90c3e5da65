"""Who is at the door: Flask-Security's primitives under our sessions, CSRF, and the check before every view.

Flask-Security gives the password context (argon2id) and the one-time codes. Its views, mails, roles and sign-in
links stay out: they write on GET and commit by themselves.
"""

from typing import Any, cast

from flask import Flask, abort, request
from flask_login import LoginManager
from flask_security import RoleMixin, Security, SQLAlchemyUserDatastore, UserMixin
from flask_wtf.csrf import CSRFProtect

from .. import clock
from ..db import db, transaction
from ..domain.staff import browser_sessions
from ..models import Account
from .access import install_access, is_public, public
from .context import install_context
from .sessions import browser_session, signed_in_by_session

#: Every form carries its token. Rooms whose pages know nobody by a cookie are exempt; the second wall is theirs too.
csrf = CSRFProtect()
#: The one address that a machine posts to from wherever it stands (RFC 8058).
_ONE_CLICK = "public.unsubscribe"

_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
#: Written at most this often, so that a form that saves itself does not cost a second commit each time.
_EXTEND_STEP = browser_sessions.IDLE / 60
_OPEN_FILES = ("assets", "brand")


_FLASK_SECURITY: dict[str, Any] = {
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_SCHEMES": ["argon2"],
    # The hash alone: a pepper would tie every password to one secret key for ever.
    "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
    # OWASP's second set (19 MiB, 2 rounds, 1 lane): kind to a small machine with several signing in at once.
    "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
        "argon2__type": "ID",
        "argon2__memory_cost": 19 * 1024,
        "argon2__time_cost": 2,
        "argon2__parallelism": 1,
    },
    "SECURITY_PASSWORD_LENGTH_MIN": 12,
    "SECURITY_CLI_USERS_NAME": None,
    "SECURITY_CLI_ROLES_NAME": None,
}


class _NoRole(RoleMixin):
    """Flask-Security wants a class; roles are memberships here."""


class _Datastore(SQLAlchemyUserDatastore):
    """Flask-Security's way to the accounts. It may not commit: that is what transaction() does."""

    def commit(self) -> None:
        raise RuntimeError("Write inside transaction(), which commits")


def install_signing_in(app: Flask) -> None:
    """Set up who is who, in the order in which a request meets it: CSRF first, then who it is, then what they may."""
    app.config.update(_FLASK_SECURITY)
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    csrf.init_app(app)
    app.before_request(_refuse_other_sites)
    # An Account has what Flask-Security asks of a user, and not its mixin (see there why).
    security = Security(app, _Datastore(db, cast(type[UserMixin], Account), _NoRole), register_blueprint=False)
    _load_accounts_by_session(security.login_manager)
    for endpoint in _OPEN_FILES:
        public(app.view_functions[endpoint])
    install_access(app, "account.sign_in")
    app.before_request(_extend_session)
    install_context(app)

    from .account import organisation, own, views  # noqa: F401 - they add their pages
    from .account.room import blueprint
    from .account.words import install_words

    install_words(app)
    app.register_blueprint(blueprint)


def _load_accounts_by_session(login_manager: LoginManager) -> None:
    # A session is ended in our table; Flask-Login's own keys in the cookie would outlive that.
    login_manager.session_protection = None
    login_manager.user_loader(lambda _user_id: None)
    login_manager.request_loader(lambda _request: signed_in_by_session())


def _refuse_other_sites() -> None:
    """The second wall beside the token: a browser says where an unsafe request comes from (Fetch Metadata)."""
    if request.method not in _UNSAFE or request.endpoint == _ONE_CLICK:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(400, "The form was not on one of our pages.")


def _extend_session() -> None:
    """Whoever does something stays signed in. Never on GET: reading changes nothing."""
    if request.method not in _UNSAFE or request.endpoint is None or is_public(request.endpoint):
        return
    row, now = browser_session().row, clock.now()
    if row is not None and row.account_id is not None and now + browser_sessions.IDLE - row.idle_end > _EXTEND_STEP:
        with transaction():
            browser_sessions.extend(row, now)
