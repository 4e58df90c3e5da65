"""Two questions of whatever watches over us: is the process alive, and can it do its work."""

from functools import cache

from alembic.script import ScriptDirectory
from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ..db import db
from ..resources import data_dir
from .access import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> Response:
    """The process answers. Asks nothing else: a database that is away is no reason to kill us."""
    return _plain("ok", 200)


@blueprint.get("/readyz")
@public
def ready() -> Response:
    """The database can be reached and its tables are of our version; else 503 and which of the two it is not."""
    wrong = _what_is_wrong()
    response = jsonify({"ready": not wrong} | ({"reason": wrong} if wrong else {}))
    response.status_code = 503 if wrong else 200
    response.headers["Cache-Control"] = "no-store"
    return response


def _what_is_wrong() -> str:
    try:
        found = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        db.session.rollback()
        return _database_or_tables()
    # Tables of the next release have all that we need: during an upgrade programs of both versions serve. One that
    # we do not know is such a one; the names of versions are not in their order.
    fit = found is not None and found not in _older_versions()
    return "" if fit else "the tables are of another version: run newsletter migrate"


@cache
def _older_versions() -> frozenset[str]:
    """Those that our own tables came from."""
    history = ScriptDirectory(str(data_dir("migrations")))
    return frozenset(each.revision for each in history.walk_revisions()) - {history.get_current_head()}


def _database_or_tables() -> str:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return "the database cannot be reached"
    return "the database has no tables yet: run newsletter migrate"


def _plain(words: str, status: int) -> Response:
    response = Response(words, status, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response
