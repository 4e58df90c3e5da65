"""What is not kept for ever: sign-ups nobody confirmed, old addresses, where requests came from, who got which notice.

The rule is UK GDPR art. 5(1)(e).
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Delete, Update, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from ...db import db
from ...i18n import gettext as _
from ...models import (
    AddressChange,
    BulkAction,
    BulkMember,
    Consent,
    ImportRun,
    InboundMessage,
    LimitCounter,
    Notice,
    SignUp,
    SignUpChoice,
)
from ...states import ImportState, InboundState, NoticeState
from ..staff import activity
from . import bulk_actions, import_runs

_log = logging.getLogger(__name__)

#: A week for the link, and three more in which it still explains itself and offers a new one.
SIGN_UP_KEPT = timedelta(days=30)
#: A week for the link to the new address, and two in which the old one can undo what was confirmed on its last day.
ADDRESS_CHANGE_KEPT = timedelta(days=30)
NETWORK_KEPT = timedelta(days=90)
NOTICE_KEPT = timedelta(days=90)
_FINISHED = (NoticeState.ACCEPTED, NoticeState.REFUSED, NoticeState.UNSURE, NoticeState.DROPPED)


@dataclass(frozen=True)
class Rule:
    """What is kept for a time: the rows that still hold something, from which moment on, for how long.

    `tidy` makes those that are over hold nothing and says how many they were; None where another room does.
    """

    words: str
    kept_for: timedelta
    since: InstrumentedAttribute[Any]
    holds: ColumnElement[bool]
    tidy: Callable[[ColumnElement[bool]], int] | None

    def over(self, now: datetime) -> ColumnElement[bool]:
        """The rows whose time is over."""
        return (self.since <= now - self.kept_for) & self.holds


@dataclass(frozen=True)
class Outlook:
    """What a rule would do: how many rows hold something, how many go at the next run, when the first goes."""

    rule: Rule
    there: int
    going: int
    first: datetime | None


@dataclass(frozen=True)
class Tidied:
    """How many rows each rule took hold of."""

    sign_ups: int
    networks: int
    notices: int
    address_changes: int = 0
    inbound: int = 0


def _tidy_sign_ups(over: ColumnElement[bool]) -> int:
    """A confirmed one keeps its row without the person, so that its link goes on saying "already confirmed"."""
    waiting = select(SignUp.id).where(over, SignUp.confirmed_at.is_(None))
    _count(delete(SignUpChoice).where(SignUpChoice.sign_up_id.in_(waiting)))
    nameless = dict.fromkeys(("address", "address_key", "name", "organisation", "sector", "network"), "")
    gone = _count(delete(SignUp).where(over, SignUp.confirmed_at.is_(None)))
    return gone + _count(update(SignUp).where(over).values(nameless))


def _tidy_address_changes(over: ColumnElement[bool]) -> int:
    """One that was made keeps its row, which is part of the person's story."""
    nameless = dict.fromkeys(("old_address", "old_key", "new_address", "new_key"), "")
    gone = _count(delete(AddressChange).where(over, AddressChange.confirmed_at.is_(None)))
    return gone + _count(update(AddressChange).where(over).values(nameless))


def _tidy_inbound(over: ColumnElement[bool]) -> int:
    """What it said of whom stays with the reader; its subject goes, and its text if it was kept."""
    kept = over & InboundMessage.raw.is_not(None)
    with_text = _count(update(InboundMessage).where(kept).values(raw=None, subject="", state=InboundState.IGNORED))
    return with_text + _count(update(InboundMessage).where(over).values(subject=""))


RULES: Mapping[str, Rule] = {
    "sign_ups": Rule(
        _("Sign-ups: who never confirmed goes, who did keeps no second copy of the address"),
        SIGN_UP_KEPT, SignUp.created_at, or_(SignUp.confirmed_at.is_(None), SignUp.address != ""), _tidy_sign_ups,
    ),
    "networks": Rule(
        _("The network that a consent came from"), NETWORK_KEPT, Consent.at, Consent.network != "",
        lambda over: _count(update(Consent).where(over).values(network="")),
    ),
    "notices": Rule(
        _("To whom a mail to one person went, and what it said"),
        NOTICE_KEPT, Notice.created_at, Notice.state.in_(_FINISHED) & (Notice.address != ""),
        lambda over: _count(update(Notice).where(over).values(address="", address_key="", values={}, reply="")),
    ),
    "address_changes": Rule(
        _("Changes of address: the old one and the new one"), ADDRESS_CHANGE_KEPT, AddressChange.created_at,
        or_(AddressChange.confirmed_at.is_(None), AddressChange.old_key != ""), _tidy_address_changes,
    ),
    "inbound": Rule(
        _("Mails that came to us: subject and text"), NOTICE_KEPT, InboundMessage.received_at,
        or_(InboundMessage.subject != "", InboundMessage.raw.is_not(None)), _tidy_inbound,
    ),
    "imports": Rule(
        _("Reports of imports, which name who was not added"), import_runs.KEPT, ImportRun.finished_at,
        ImportRun.state == ImportState.DONE, None,
    ),
    "together": Rule(
        _("Whom an act on many subscribers was about"), bulk_actions.UNDO_FOR, BulkAction.finished_at,
        select(BulkMember.action_id).where(BulkMember.action_id == BulkAction.id).exists(), None,
    ),
}  # fmt: skip


def outlook(now: datetime) -> list[Outlook]:
    """What the next run would do, by rule. Reads only."""
    found = []
    for rule in RULES.values():
        table = rule.since.class_
        there, first = db.session.execute(
            select(func.count(), func.min(rule.since)).select_from(table).where(rule.holds)
        ).one()
        going = db.session.scalar(select(func.count()).select_from(table).where(rule.over(now))) or 0
        found.append(Outlook(rule, there, going, first + rule.kept_for if first else None))
    return found


def purge_unconfirmed(now: datetime) -> Tidied:
    """Forget what is over. Run daily; a second run finds nothing."""
    done = {name: rule.tidy(rule.over(now)) for name, rule in RULES.items() if rule.tidy is not None}
    tidied = Tidied(**done)
    _count(delete(LimitCounter).where(LimitCounter.ends_at <= now))
    if any(vars(tidied).values()):
        activity.record("records.tidied", actor=None, now=now, **vars(tidied))
    _log.info("Tidied away: %s", tidied)
    return tidied


def _count(statement: Update | Delete) -> int:
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
