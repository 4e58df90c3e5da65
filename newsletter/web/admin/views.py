"""Views of this room; see the package's docstring."""

from flask import Blueprint

blueprint = Blueprint("admin", __name__)
