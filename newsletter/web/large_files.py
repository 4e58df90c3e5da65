"""Files larger than anything else that is sent here: a list of a million people, from whoever is signed in.

A view that takes one says so. It is read to the disk as it comes, so memory does not grow with it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request

from ..config import Settings, current_settings
from .sessions import signed_in_by_session

_View = TypeVar("_View", bound=Callable[..., Any])
_ATTRIBUTE = "newsletter_takes_large_files"
_MEGABYTE = 1024 * 1024
#: What stands around the file in such a request: the other fields, and the lines between them.
_AROUND = _MEGABYTE


def takes_large_files(view: _View) -> _View:
    """Let this page be sent a file of as many megabytes as the settings say."""
    setattr(view, _ATTRIBUTE, True)
    return view


def is_for_large_files() -> bool:
    """Whether the page of the running request takes such a file."""
    return getattr(current_app.view_functions.get(request.endpoint or ""), _ATTRIBUTE, False)


def largest(settings: Settings) -> int:
    """How many bytes such a request may have."""
    return settings.import_megabytes * _MEGABYTE + _AROUND


def install_large_files(app: Flask) -> None:
    """Before anything of a request's body is read: whoever is not signed in sends no more than everybody else."""

    @app.before_request
    def _make_room() -> None:
        if request.method == "POST" and is_for_large_files() and signed_in_by_session() is not None:
            request.max_content_length = largest(current_settings())
