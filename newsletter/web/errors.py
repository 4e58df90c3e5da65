"""Everything that goes wrong, as a page: one sentence and the way on, mapped here and nowhere else."""

import logging
import secrets
from http import HTTPStatus

from flask import Flask, Response, current_app, g, jsonify, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from ..config import current_settings
from ..db import let_go, may_be_saved, why_unavailable
from ..errors import Conflict, NewsletterError, NotAllowed, NotFound, Refused, TokenError, TokenExpired
from ..i18n import gettext as _
from .access import current_account
from .context import TELLING_OF_AN_ERROR
from .large_files import is_for_large_files

_log = logging.getLogger(__name__)


def install_errors(app: Flask) -> None:
    """Answer every error of ours, of HTTP, and every other, in the form that was asked for."""
    app.register_error_handler(NewsletterError, _of_ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unforeseen)


def _of_ours(error: NewsletterError) -> Response:
    status, heading = _status_and_heading(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unforeseen(error)
    return error_page(status, heading, str(error))


def _status_and_heading(error: NewsletterError) -> tuple[int, str]:
    for kind, status, heading in (
        (NotFound, 404, _("Page not found")),
        (NotAllowed, 403, _("You may not do this")),
        (Conflict, 409, _("Somebody changed this first")),
        (TokenExpired, 410, _("This link has expired")),
        (TokenError, 400, _("This link cannot be used")),
        (Refused, 422, _("That cannot be done")),
    ):
        if isinstance(error, kind):
            return status, heading
    return 500, ""


_STAFF_ROOMS = ("editor", "admin", "account")

#: What each status means to a person: heading, sentence.
_HTTP = {
    400: ("That did not work", "What your browser sent cannot be read. Go back and try again."),
    403: ("You may not see this page", "Ask an administrator of your newsletter to change that."),
    404: ("Page not found", "Check the address, or start from the front page."),
    405: ("That did not work", "This address is for sending a form. Start again from its page."),
    408: ("That took too long", "Your connection was too slow. Try again."),
    410: ("This page is gone", "Start from the front page."),
    413: ("That is too large", "Send less text (2 MB at most), or a smaller file (25 MB at most)."),
    414: ("That address is too long", "Start from the front page."),
    429: ("Too many tries", "Wait a few minutes, then try again."),
    503: ("We are being repaired", "Try again in a few minutes. Nothing is lost."),
}


def _of_http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        # A redirect is raised too (a slash that was left out).
        return error.get_response(request.environ)  # type: ignore[return-value]  # Flask's own subclass at run time
    if isinstance(error, CSRFError):
        return error_page(
            400,
            _("This form is too old"),
            _("Go back, load the page again and send it once more. Copy your text first."),
        )
    heading, sentence = _HTTP.get(error.code, _HTTP[400])
    sentence = _(sentence)
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and is_for_large_files():
        sentence = _("The file is larger than {megabytes:,} MB. Nothing of it was kept: go back and bring it in parts.")
        sentence = sentence.format(megabytes=current_settings().import_megabytes)
    response = error_page(error.code, _(heading), sentence)
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _of_the_database(error: Exception, why: str) -> Response:
    """It cannot be used for now: nothing was changed, unless it broke off at the last word."""
    _log.error("The database failed at %s %s: %s", request.method, request.endpoint, why)
    sentence = _("Nothing was changed. Try again in a few minutes.")
    if may_be_saved(error):
        sentence = _("It may have been saved, or not. Look again in a few minutes, before you send it once more.")
    let_go()
    # The page that says so must not fail for the same reason: it is nobody's.
    g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]  # Flask-Login puts it there
    response = error_page(503, _("This cannot be done at the moment"), sentence)
    response.headers["Retry-After"] = "120"
    return response


def _unforeseen(error: Exception) -> Response:
    """Nothing of the error goes out but a number to quote, which stands in the log beside it."""
    if why := why_unavailable(error):
        return _of_the_database(error, why)
    reference = secrets.token_hex(4)
    _log.error("Error %s at %s %s", reference, request.method, request.endpoint, exc_info=error)
    return error_page(
        500,
        _("Something is wrong on our side"),
        _("What you sent may not have been saved. Try again in a few minutes."),
        reference,
    )


def error_page(status: int, heading: str, sentence: str, reference: str = "") -> Response:
    """One sentence and the way on; JSON where a machine asks."""
    setattr(g, TELLING_OF_AN_ERROR, True)
    if _wants_json():
        body = {"error": sentence} | ({"reference": reference} if reference else {})
        response = jsonify(body)
    else:
        response = Response(
            render_template(
                "base/error.html", heading=heading, sentence=sentence, way_on=_way_on(status), reference=reference
            )
        )
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def _way_on(status: int) -> dict[str, str] | None:
    """Where this person goes from here: staff to their own pages, everybody else to the front page."""
    for_staff = (request.blueprint or "") in _STAFF_ROOMS
    wanted, label = "archive.home", _("Go to the front page")
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and for_staff:
        # Who comes with a link that was used, such as that of the set-up, has an account by now.
        wanted, label = "account.sign_in", _("Sign in")
        if _signed_in():
            wanted, label = "editor.quarter", _("Go to this quarter")
    return {"url": url_for(wanted), "label": label} if _has(wanted) else None


def _signed_in() -> bool:
    try:
        return current_account() is not None
    except SQLAlchemyError:
        return False


def _wants_json() -> bool:
    accepts = request.accept_mimetypes
    return request.path.startswith("/api/") or (
        accepts.best_match(("text/html", "application/json")) == "application/json" and not accepts.accept_html
    )


def _has(endpoint: str) -> bool:
    return endpoint in current_app.view_functions
