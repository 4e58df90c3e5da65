"""What every page of this room needs: the blueprint, the issue of the address, and a frame around the template."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from newsletter.db import db
from newsletter.domain.staff.permissions import Permission, may, require
from newsletter.errors import NotFound
from newsletter.i18n import gettext as _
from newsletter.models import Account, Issue, MailingList, SlugRedirect
from newsletter.web.access import current_account, signed_in_account
from newsletter.web.context import navigation

blueprint = Blueprint("editor", __name__)


def find_issue(slug: str, permission: Permission = Permission.VIEW_ISSUES) -> Issue:
    """The issue with this slug, if the person may do this on its list.

    Raises NotFound or NotAllowed. A GET at an address the issue once had is sent on to the present one.
    """
    # PostgreSQL takes no NUL in a text, not even to compare with.
    issue = db.session.scalar(select(Issue).where(Issue.slug == slug)) if "\0" not in slug else None
    if issue is None:
        _lead_on(slug)
        raise NotFound(_("There is no issue here. It may have been renamed."))
    require(current_account(), permission, issue.mailing_list)
    return issue


def _lead_on(slug: str) -> None:
    moved = db.session.get(SlugRedirect, slug) if "\0" not in slug else None
    issue = db.session.get(Issue, moved.issue_id) if moved else None
    if issue and request.method == "GET" and request.endpoint:
        abort(redirect(url_for(request.endpoint, **{**(request.view_args or {}), "slug": issue.slug}), 301))


def lists_for(account: Account, permission: Permission) -> Sequence[MailingList]:
    """The lists on which the person may do this, oldest first."""
    lists = db.session.scalars(select(MailingList).order_by(MailingList.id)).all()
    return [each for each in lists if may(account, permission, each)]


def can(permission: Permission, issue: Issue) -> bool:
    """Whether the person may do this on the issue's list: whether to show the button."""
    return may(current_account(), permission, issue.mailing_list)


def page(
    template: str, *, issue: Issue | None = None, under: str = "", status: int = 200, **values: Any
) -> tuple[str, int]:
    """A page of the desk. With an issue it is in the issue's zone and colour.

    `under` is the endpoint that the menu shows as current: that of the issues, where the page is about one.
    """
    if issue is not None:
        mailing_list = issue.mailing_list
        values = {
            "issue": issue,
            "mailing_list": mailing_list,
            "timezone": mailing_list.timezone,
            "accent": mailing_list.accent,
            "can": can,
            "Permission": Permission,
            **values,
        }
    if under or issue is not None:
        values["nav"] = _menu(url_for(under or "editor.issues"))
    return render_template(f"editor/{template}", **values), status


def _menu(current: str) -> list[dict[str, Any]]:
    return [{**item, "current": item["url"] == current} for item in navigation(signed_in_account())]


def to(endpoint: str, *, anchor: str | None = None, **values: Any) -> Response:
    """Off to another page after a change (303, so that a reload repeats nothing)."""
    return redirect(url_for(f"editor.{endpoint}", _anchor=anchor, **values), 303)
