"""Forgetting somebody who worked on the newsletter: the account goes, what was done stays, by nobody in particular."""

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, func, select, update

from ...db import clear_log, db, on_commit
from ...models import Account, Activity, Approval, Comment, Invitation, MailboxMessage, Notice, TestAddress, TestSend
from ...states import NoticeState
from . import accounts
from .activity import record

#: Who did it, once nobody may be named.
FORMER = "A former colleague"
#: The line of the record that tells of it; its detail holds the `mark`.
ERASED = "account.erased"


def erase_account(account: Account, *, mark: str, actor: Account | None, now: datetime) -> int:
    """Forget the account for good: name, address, sessions, roles, the mails that went to it.

    What they wrote for the newsletter is the organisation's and stays; their name under comments and approvals goes.
    `mark` stands in the record: by it a restore knows whom to erase again, and nothing else tells who it was.
    Raises Conflict for the last administrator. Returns how many lines of the record were made nameless.
    """
    if account.active:
        accounts.disable(account, actor=actor, now=now)
    key, number = account.email_key, account.id
    nameless = _count(update(Activity).where(Activity.actor_id == number).values(actor_name=FORMER))
    told_of = select(Activity).where(Activity.subject_type == "account", Activity.subject_id == str(number))
    for entry in db.session.scalars(told_of):
        entry.detail = {name: value for name, value in entry.detail.items() if name != "name"}
    db.session.flush()
    _count(update(Approval).where(Approval.approver_id == number).values(approver_name=FORMER))
    _count(update(Comment).where(Comment.author_id == number).values(author_name=FORMER))
    _count(delete(Invitation).where(func.lower(Invitation.email) == key))
    _count(delete(Invitation).where(Invitation.account_id == number))
    waiting = (NoticeState.QUEUED, NoticeState.DEFERRED, NoticeState.HELD)
    theirs = Notice.address_key == key
    _count(update(Notice).where(theirs, Notice.state.in_(waiting)).values(state=NoticeState.DROPPED))
    _count(update(Notice).where(theirs).values(address="", address_key="", values={}, reply=""))
    _count(delete(MailboxMessage).where(func.lower(MailboxMessage.recipient) == key))
    _count(delete(TestAddress).where(TestAddress.address_key == key))
    _count(update(TestSend).where(func.lower(TestSend.address) == key).values(address=""))
    db.session.flush()
    db.session.expire_all()
    # Sessions, roles and presence go with the row; what it signed keeps no number.
    _count(delete(Account).where(Account.id == number))
    db.session.expire_all()
    on_commit(clear_log)
    by = actor if actor is None or actor.id != number else None
    record(ERASED, actor=by, now=now, mark=mark)
    return nameless


def _count(statement: Any) -> int:
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
