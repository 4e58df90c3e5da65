"""The built-in mailbox: every mail that would have left, to read."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape
from sqlalchemy import delete, func, select

from ... import addresses, clock
from ...config import current_settings
from ...db import db, transaction
from ...domain.staff import keyset
from ...domain.staff.activity import record
from ...domain.staff.permissions import Permission, may, require
from ...errors import NotAllowed, NotFound
from ...i18n import gettext as _
from ...models import MailboxMessage, Notice
from ..access import signed_in_account, staff
from ..headers import preview_response
from .room import blueprint

_READ = Permission.READ_MAILBOX
_VIEWS = ("html", "text", "headers", "source")
#: Mails that make somebody an account, or its password: a key in the hand of whoever reads them.
_KEYS = ("staff_invitation", "password_reset_link")
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")
_LONGEST_SOURCE = 500_000


@blueprint.get("/desk/mailbox", endpoint="mailbox")
@staff(_READ)
def messages() -> ResponseReturnValue:
    """Newest first; `?to=` searches by recipient."""
    require(signed_in_account(), _READ)
    # No address is longer, and SQLite compares with no pattern of more than 50,000 bytes.
    wanted = request.args.get("to", "").strip()[:320]
    chosen = select(MailboxMessage)
    if wanted and wanted.isprintable():
        chosen = chosen.where(func.lower(MailboxMessage.recipient).contains(wanted.lower(), autoescape=True))
    page = keyset.newest_first(chosen, MailboxMessage.id, request.args.get("before", type=int))
    total = db.session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    return render_template(
        "admin/mailbox.html", page=page, wanted=wanted, total=total, paged=request.args.get("before") is not None
    )


def _message(key: int) -> tuple[MailboxMessage, EmailMessage]:
    """The row and the mail in it. Raises NotFound, and NotAllowed for a mail that is somebody else's key."""
    require(signed_in_account(), _READ)
    row = db.session.get(MailboxMessage, key)
    if row is None:
        raise NotFound(_("That mail is no longer in the mailbox."))
    mail = message_from_bytes(row.source, policy=policy.default)
    if not isinstance(mail, EmailMessage):
        raise TypeError("policy.default makes EmailMessage")
    _require_not_a_key(row, mail)
    return row, mail


def _require_not_a_key(row: MailboxMessage, mail: EmailMessage) -> None:
    me = signed_in_account()
    if may(me, Permission.MANAGE_STAFF) or addresses.key(row.recipient) == me.email_key:
        return
    message_id = str(mail["Message-ID"] or "").strip().strip("<>")
    if db.session.scalar(select(Notice.id).where(Notice.message_id == message_id, Notice.template.in_(_KEYS))):
        raise NotAllowed(_("This mail holds a link for its recipient alone. An administrator can read it."))


@blueprint.get("/desk/mailbox/<int:key>")
@staff(_READ)
def mailbox_message(key: int) -> ResponseReturnValue:
    """One mail; `?view=` is html, text, headers or source."""
    row, mail = _message(key)
    html, text = part_of(mail, "html"), part_of(mail, "plain")
    views = [name for name in _VIEWS if not (name == "html" and not html) and not (name == "text" and not text)]
    view = request.args.get("view", views[0])
    return render_template(
        "admin/mailbox_message.html",
        message=row,
        views=views,
        view=view if view in views else views[0],
        text=with_links(text),
        headers=[(name, str(value)) for name, value in mail.items()],
        source=row.source[:_LONGEST_SOURCE].decode("utf-8", "replace"),
    )


@blueprint.get("/desk/mailbox/<int:key>/html")
@staff(_READ)
def mailbox_html(key: int) -> ResponseReturnValue:
    """The mail's HTML by itself, for the frame."""
    _row, mail = _message(key)
    # On the machine itself our own pictures are ours under whatever name it is called by.
    return preview_response(part_of(mail, "html").replace(f'src="{current_settings().public_url}/', 'src="/'))


@blueprint.get("/desk/mailbox/<int:key>/source")
@staff(_READ)
def mailbox_source(key: int) -> ResponseReturnValue:
    """The whole mail as a file."""
    row, _mail = _message(key)
    response = Response(row.source, mimetype="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{row.id}.eml"'
    return response


@blueprint.route("/desk/mailbox/empty", methods=["GET", "POST"])
@staff(_READ)
def empty_mailbox() -> ResponseReturnValue:
    """Throw all of it away, after a page that says how much that is."""
    me = signed_in_account()
    require(me, _READ)
    total = db.session.scalar(select(func.count()).select_from(MailboxMessage)) or 0
    if request.method != "POST":
        return render_template("admin/empty_mailbox.html", total=total)
    with transaction() as session:
        session.execute(delete(MailboxMessage))
        record("mailbox.emptied", actor=me, now=clock.now(), messages=total)
    flash(_("The mailbox is empty."), "success")
    return redirect(url_for("admin.mailbox"), 303)


def part_of(mail: EmailMessage, kind: str) -> str:
    """The mail's text of this kind ("plain", "html"), or "" where it has none or it cannot be read."""
    part = mail.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        return ""


def with_links(text: str) -> Markup:
    """Plain text, escaped, its addresses as links that open beside it."""
    parts, end = [], 0
    for found in _LINK.finditer(text):
        parts += [escape(text[end : found.start()]), Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])
