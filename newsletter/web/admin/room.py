"""The blueprint that the modules of this room add their pages to."""

from flask import Blueprint

blueprint = Blueprint("admin", __name__)
