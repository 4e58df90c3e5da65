"""Mails to one person, as rows written with the change they tell of (transactional outbox)."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

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
) -> Notice:
    """Queue one mail in the running transaction and ring for it.

    `template` is a folder of templates/email/notices. `values` holds what the template needs, as JSON: ids and
    words; never a link that acts, which the template's composer derives when the mail is made. The row keeps its
    Message-ID, so a second attempt is the same message.
    """
    notice = Notice(
        template=template,
        address=address,
        address_key=addresses.key(address),
        list_id=mailing_list.id if mailing_list else (issue.list_id if issue else None),
        issue_id=issue.id if issue else None,
        values=values or {},
        nonce=secrets.token_bytes(16),
        message_id=f"{secrets.token_hex(16)}@{current_settings().public_host.partition(':')[0]}",
        priority=priority,
        next_attempt_at=now,
        created_at=now,
    )
    db.session.add(notice)
    db.session.flush()
    ring("deliver_notices")
    return notice


def count_sent(templates: Iterable[str], address: str, *, since: datetime) -> int:
    """How many notices of these templates the address was sent, or has coming, after `since`: what limits count."""
    chosen = select(func.count()).where(
        Notice.address_key == addresses.key(address),
        Notice.template.in_(list(templates)),
        Notice.created_at > since,
        Notice.state != NoticeState.DROPPED,
    )
    return db.session.scalar(chosen) or 0
