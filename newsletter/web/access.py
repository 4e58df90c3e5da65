"""Who may see a page: said at each view, checked before it runs, denied where nothing is said.

    @blueprint.get("/issues")
    @staff(Permission.VIEW_ISSUES)
    def issues() -> str: ...

    @blueprint.get("/subscribe")
    @public
    def subscribe() -> str: ...

`staff` asks whether the person may do it on at least one list; a view that loads a thing of one list goes on to
`permissions.require(current_account(), permission, its list)`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from ..domain.staff.permissions import Permission, may_anywhere
from ..errors import NotAllowed
from ..models import Account

_View = TypeVar("_View", bound=Callable[..., Any])
_ATTRIBUTE = "newsletter_access"
_PUBLIC = "public"
_SIGNED_IN = "signed in"


def public(view: _View) -> _View:
    """Anybody may see this page."""
    setattr(view, _ATTRIBUTE, _PUBLIC)
    return view


def signed_in(view: _View) -> _View:
    """Any member of staff may see this page: it is about themselves."""
    setattr(view, _ATTRIBUTE, _SIGNED_IN)
    return view


def staff(permission: Permission) -> Callable[[_View], _View]:
    """Staff who may do this, on at least one list."""

    def mark(view: _View) -> _View:
        setattr(view, _ATTRIBUTE, permission)
        return view

    return mark


def access_of(endpoint: str) -> str | Permission | None:
    """What is said at the view of this endpoint: "public", "signed in", a permission, or nothing (denied)."""
    said: str | Permission | None = getattr(current_app.view_functions[endpoint], _ATTRIBUTE, None)
    return said


def is_public(endpoint: str) -> bool:
    """Whether anybody may see the pages of this endpoint."""
    return access_of(endpoint) == _PUBLIC


def current_account() -> Account | None:
    """Who is signed in, or None."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def signed_in_account() -> Account:
    """Who is signed in. Raises NotAllowed when nobody is: a view marked for staff never sees that."""
    account = current_account()
    if account is None:
        raise NotAllowed("Sign in first.")
    return account


def install_access(app: Flask, sign_in_endpoint: str) -> None:
    """Check every request before its view runs."""

    @app.before_request
    def _check() -> Response | None:
        if request.endpoint is None:
            return None
        access = access_of(request.endpoint)
        if access == _PUBLIC:
            return None
        account = current_account()
        if account is None:
            if access is None:
                abort(404)
            return redirect(url_for(sign_in_endpoint, next=request.full_path.rstrip("?")))
        if access is None or (isinstance(access, Permission) and not may_anywhere(account, access)):
            raise NotAllowed("You may not see this page. An administrator can change that.")
        return None
