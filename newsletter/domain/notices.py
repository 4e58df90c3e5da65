"""Mails to one person, as rows written with the change they tell of (transactional outbox)."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, func, insert, select, update

from .. import addresses
from ..config import current_settings
from ..db import db
from ..models import Issue, MailingList, Notice
from ..states import NoticeState
from ..work.queue import ring

#: Confirmations and sign-in links never wait behind a bulk of receipts.
URGENT, ORDINARY, DIGEST = 1, 5, 9


def send_notice(
    template: str,
    address: str,
    *,
    now: datetime,
    values: dict[str, Any] | None = None,
    mailing_list: MailingList | None = None,
    issue: Issue | None = None,
    priority: int = ORDINARY,
    leaves_at: datetime | None = None,
) -> Notice:
    """Queue one mail in the running transaction and ring for it; it leaves at once, or not before `leaves_at`.

    `template` is a folder of templates/email/notices. `values` holds what the template needs, as JSON: ids and
    words; never a link that acts, which the template's composer derives when the mail is made. The row keeps its
    Message-ID, so a second attempt is the same message.
    """
    notice = Notice(
        list_id=mailing_list.id if mailing_list else (issue.list_id if issue else None),
        issue_id=issue.id if issue else None,
        **_row(template, address, values or {}, priority, leaves_at or now, now),
    )
    db.session.add(notice)
    db.session.flush()
    ring("deliver_notices")
    return notice


def send_by_row(
    template: str, address: str, *, values: dict[str, Any], list_id: int, priority: int, now: datetime
) -> None:
    """As `send_notice`, past the session: for whoever writes while a whole site waits."""
    row = _row(template, address, values, priority, now, now)
    db.session.connection().execute(insert(Notice), {**row, "list_id": list_id})
    ring("deliver_notices")


def _row(
    template: str, address: str, values: dict[str, Any], priority: int, leaves_at: datetime, now: datetime
) -> dict[str, Any]:
    return {
        "template": template,
        "address": address,
        "address_key": addresses.key(address),
        "values": values,
        "nonce": secrets.token_bytes(16),
        "message_id": f"{secrets.token_hex(16)}@{current_settings().public_host.partition(':')[0]}",
        "priority": priority,
        "next_attempt_at": leaves_at,
        "created_at": now,
    }


def call_back(notice_id: int | None, *, reason: str) -> bool:
    """Drop a mail that nobody has in hand yet. Returns whether there was one: False says that it has left, or may have.

    `reason` is kept for staff.
    """
    waiting = (NoticeState.QUEUED, NoticeState.DEFERRED, NoticeState.HELD)
    done = db.session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.state.in_(waiting), Notice.claimed_by.is_(None))
        .values(state=NoticeState.DROPPED, reply=reason)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult


def count_sent(templates: Iterable[str], address: str, *, since: datetime) -> int:
    """How many notices of these templates the address was sent, or has coming, after `since`: what limits count."""
    return db.session.scalar(select(func.count()).where(*sent_to(templates, addresses.key(address), since=since))) or 0


def sent_to(
    templates: Iterable[str], address_key: str | BindParameter[str], *, since: datetime | BindParameter[datetime]
) -> tuple[ColumnElement[bool], ...]:
    """What is so of the notices that `count_sent` counts, for whoever asks for more than their number."""
    return (
        Notice.address_key == address_key,
        Notice.template.in_(list(templates)),
        Notice.created_at > since,
        Notice.state != NoticeState.DROPPED,
    )
