"""What the base templates ask for: the publication's name, who is signed in, where they may go."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for
from sqlalchemy import literal, select, true
from sqlalchemy.exc import SQLAlchemyError

from ..config import current_settings
from ..db import db, let_go
from ..domain.staff.permissions import Permission, may, may_anywhere
from ..i18n import gettext as _
from ..mail.local import LocalMailbox
from ..models import Account, MailingList, Organisation
from .access import current_account, is_public

#: In `g` of a request whose answer is the page of an error.
TELLING_OF_AN_ERROR = "telling_of_an_error"


@dataclass(frozen=True)
class _Room:
    """One item of the menu. `covers`: other pages that belong to it, by how their endpoints begin."""

    label: str
    endpoint: str
    permission: Permission
    covers: tuple[str, ...] = ()
    everywhere: bool = False


_ROOMS = (
    _Room("This quarter", "editor.quarter", Permission.VIEW_ISSUES),
    _Room("Contributions", "editor.contributions", Permission.VIEW_ISSUES, ("editor.contribution",)),
    _Room(
        "Subscribers",
        "editor.subscribers",
        Permission.VIEW_SUBSCRIBERS,
        ("editor.subscriber", "editor.person", "editor.forget", "editor.audience"),
    ),
    # Whatever else editors open belongs to an issue.
    _Room("Issues", "editor.issues", Permission.VIEW_ISSUES, ("editor.",)),
    _Room("Mailbox", "admin.mailbox", Permission.READ_MAILBOX, ("admin.mailbox", "admin.empty_mailbox"), True),
    _Room("Settings", "admin.settings", Permission.MANAGE_LISTS, ("admin.",)),
)
#: Of each page that is made; put together once.
_SITE = (
    select(Organisation.name, Organisation.email, MailingList.name, MailingList.accent, MailingList.timezone)
    .select_from(select(literal(1).label("id")).subquery("site").outerjoin(Organisation, Organisation.id == 1))
    .outerjoin(MailingList, true())
    .order_by(MailingList.id)
    .limit(2)
)
_ORDER = ("editor.quarter", "editor.issues", "editor.contributions", "editor.subscribers", "admin.mailbox")


def relay_local() -> bool:
    """Whether mail stays on this machine: the relay is the built-in mailbox."""
    return isinstance(current_app.extensions["newsletter_relay"], LocalMailbox)


def navigation(account: Account) -> list[dict[str, Any]]:
    """The menu for this person: {label, url, current}, as far as the pages exist."""
    here = _room_of(request.endpoint or "")
    return [
        {"label": _(room.label), "url": url_for(room.endpoint), "current": room is here}
        for room in sorted(_ROOMS, key=_place)
        if room.endpoint in current_app.view_functions and _may_enter(account, room)
    ]


def _room_of(endpoint: str) -> _Room | None:
    """Where a page belongs: the first room that has it."""
    exact = next((room for room in _ROOMS if room.endpoint == endpoint), None)
    return exact or next((room for room in _ROOMS if endpoint.startswith(room.covers)), None)


def _place(room: _Room) -> int:
    return _ORDER.index(room.endpoint) if room.endpoint in _ORDER else len(_ORDER)


def _may_enter(account: Account, room: _Room) -> bool:
    return may(account, room.permission) if room.everywhere else may_anywhere(account, room.permission)


def install_context(app: Flask) -> None:
    """Give every template these values; what a view passes itself wins."""
    app.config["TIMEZONE"] = app.config["NEWSLETTER"].timezone

    @app.context_processor
    def _values() -> dict[str, Any]:
        try:
            return _site() | _person()
        except SQLAlchemyError:
            if not g.get(TELLING_OF_AN_ERROR):
                raise
            # The page that says so must not fail for the same reason.
            let_go()
            return {"publication": _("Newsletter")}


def _site() -> dict[str, Any]:
    found = db.session.execute(_SITE).all()
    publisher, email, name, accent, timezone = found[0]
    only = len(found) == 1 and name is not None
    return {
        "publication": name if only else publisher or _("Newsletter"),
        "publisher": publisher,
        "contact_email": email,
        "accent": accent,
        "timezone": timezone if only else current_settings().timezone,
        **_links(
            archive_url="archive.issues",
            privacy_url="public.privacy",
            accessibility_url="public.accessibility",
        ),
    }


def _person() -> dict[str, Any]:
    if not request or request.endpoint is None or is_public(request.endpoint):
        return {}
    account = current_account()
    if account is None:
        return {}
    return {
        "person": account,
        "nav": navigation(account),
        "relay": {"local": relay_local()},
        "restored": _restored(account),
        **_links(account_url="account.account", sign_out_url="account.sign_out", home_url="editor.quarter"),
        **(_links(mailbox_url="admin.mailbox") if may(account, Permission.READ_MAILBOX) else {}),
    }


def _restored(account: Account) -> dict[str, Any] | None:
    """What to remind staff of where the installation came from a backup and nobody has said yet who may get mail."""
    organisation = db.session.get(Organisation, 1)
    if organisation is None or organisation.restored_at is None:
        return None
    manages = may(account, Permission.MANAGE_LISTS)
    return {"made_at": organisation.backup_made_at, "url": url_for("admin.sending_mode") if manages else ""}


def _links(**endpoints: str) -> dict[str, str]:
    return {
        name: url_for(endpoint) if endpoint in current_app.view_functions else ""
        for name, endpoint in endpoints.items()
    }
