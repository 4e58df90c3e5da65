"""Erasing a person: everything that names them goes, the accounts and the wish not to be written to stay
(UK GDPR art. 17).

What remains is the subscription without a subscriber (so that a link in an old mail still answers and the ledger of
past issues adds up), the dates and wordings of consent, and the keyed hash of the address among the suppressions.
"""

import logging
import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, CursorResult, Delete, Update, case, delete, func, or_, select, update

from ... import addresses
from ...config import current_settings
from ...db import clear_log, db, on_commit
from ...models import (
    Account,
    AddressChange,
    AddressProof,
    Chase,
    Comment,
    Consent,
    Contribution,
    ContributionRevision,
    Contributor,
    DataComplaint,
    Delivery,
    Extension,
    Feedback,
    InboundMessage,
    LimitCounter,
    MailboxMessage,
    Notice,
    SignUp,
    SignUpChoice,
    Subscriber,
    Subscription,
    TestAddress,
    TestSend,
    ViewsAnswer,
)
from ...states import InboundState, NoticeState, SuppressionReason
from ...tokens import counted_as
from ..staff import activity
from . import addressing, erasure_log, import_forgetting, joining, leaving, mail_domains, sign_ups, suppressing

_log = logging.getLogger(__name__)

#: Mails to staff with words about what somebody sent in.
_TOLD_OF = ("comment_mention", "sender_suggests", "sender_withdraws")


@dataclass(frozen=True)
class Erased:
    """How many rows of each kind were removed or made nameless."""

    subscriptions: int
    sign_ups: int
    notices: int
    messages: int
    contributions: int
    contributors: int

    @property
    def anything(self) -> bool:
        return any(vars(self).values())


def erase_subscriber(subscriber: Subscriber, *, route: str, now: datetime, actor: Account | None = None) -> Erased:
    """Forget the person. Their subscriptions end; their address is suppressed as ERASED."""
    return erase_address(subscriber.address, route=route, now=now, actor=actor)


def erase_address(address: str, *, route: str, now: datetime, actor: Account | None = None) -> Erased:
    """Forget whatever is held on an address, whether it is subscribed or only waits to be.

    Its subscriber's former addresses go with it, as far as we know of them. A staff account with that address is not
    touched: staff are removed where staff are kept.
    """
    subscriber = joining.find_subscriber(address)
    former = addressing.former_addresses(subscriber) if subscriber else []
    keys = [addresses.key(one) for one in (address, *former)]
    subscriptions = _erase_subscriber(subscriber, route, now, actor)
    ids = select(SignUp.id).where(SignUp.address_key.in_(keys))
    _count(delete(SignUpChoice).where(SignUpChoice.sign_up_id.in_(ids)))
    _count(delete(AddressChange).where(or_(AddressChange.old_key.in_(keys), AddressChange.new_key.in_(keys))))
    _erase_inbound(keys)
    erased = Erased(
        subscriptions=subscriptions,
        sign_ups=_count(delete(SignUp).where(SignUp.address_key.in_(keys))),
        notices=_erase_notices(keys),
        messages=_erase_messages(keys),
        contributions=_erase_contact(keys),
        contributors=_erase_contributor(keys),
    )
    for one in (address, *former):
        suppressing.forget_notes(one)
    suppressing.suppress(address, SuppressionReason.ERASED, now=now, actor=actor)
    # A second erasure finds the first one's suppression; the log says when it was last.
    digest = suppressing.address_hash(address)
    on_commit(lambda: erasure_log.note(digest, now))
    mail_domains.forget((address, *former))
    import_forgetting.blank_shown((address, *former))
    on_commit(lambda: import_forgetting.forget_files((address, *former)))
    db.session.flush()
    db.session.expire_all()
    on_commit(clear_log)
    _log.info("A person was erased by %s", route)
    activity.record(
        "subscriber.erased", actor=actor, actor_name=None if actor else leaving.SUBSCRIBER, now=now, route=route
    )
    return erased


def _erase_subscriber(subscriber: Subscriber | None, route: str, now: datetime, actor: Account | None) -> int:
    if subscriber is None:
        return 0
    subscriptions = list(subscriber.subscriptions)
    for subscription in subscriptions:
        leaving.unsubscribe(subscription, route=route, now=now, actor=actor)
    ids = [subscription.id for subscription in subscriptions]
    theirs = Consent.subscription_id.in_(ids)
    # Without its salt a sealed event's digest says nothing of the note that it was made with.
    _count(update(Consent).where(theirs, Consent.note != "").values(note="", salt=None))
    _count(update(Consent).where(theirs).values(network=""))
    # Mail servers quote whom they refuse.
    _count(update(Delivery).where(Delivery.subscription_id.in_(ids)).values(reply=None))
    came_back = Feedback.subscription_id.in_(ids)
    _blank_inbound(InboundMessage.id.in_(select(Feedback.inbound_id).where(came_back)))
    _count(update(Feedback).where(came_back).values(reply="", reporter=""))
    nobody = {"subscriber_id": None, "paused_until": None, "left_reason": "", "left_words": ""}
    _count(update(Subscription).where(Subscription.id.in_(ids)).values(nobody))
    _erase_wishes(subscriber)
    _count(delete(Subscriber).where(Subscriber.id == subscriber.id))
    return len(ids)


def _erase_wishes(subscriber: Subscriber) -> None:
    """Their changes of address, and what was written to an address that they named and did not prove."""
    theirs = AddressChange.subscriber_id == subscriber.id
    named = set(db.session.scalars(select(AddressChange.new_key).where(theirs, AddressChange.confirmed_at.is_(None))))
    _blank(Notice.address_key.in_(named), Notice.template.in_((sign_ups.CONFIRM_ADDRESS, sign_ups.ADDRESS_KNOWN)))
    _count(delete(AddressChange).where(theirs))


def _erase_inbound(keys: list[str]) -> None:
    """Mails that were set aside for a person, if an address stands in them. There are few: each is looked through."""
    kept = db.session.execute(select(InboundMessage.id, InboundMessage.raw).where(InboundMessage.raw.is_not(None)))
    named = [number for number, raw in kept if raw and any(key.encode() in raw.lower() for key in keys)]
    if named:
        _blank_inbound(InboundMessage.id.in_(named))


def _blank_inbound(which: ColumnElement[bool]) -> None:
    """What remains is that something came, and when; the digest keeps it from being read anew."""
    nothing_left = case((InboundMessage.raw.is_not(None), InboundState.IGNORED), else_=InboundMessage.state)
    _count(update(InboundMessage).where(which).values(subject="", note="", raw=None, state=nothing_left))


def _erase_notices(keys: list[str]) -> int:
    _count(update(TestSend).where(func.lower(TestSend.address).in_(keys)).values(address=""))
    _count(delete(TestAddress).where(TestAddress.address_key.in_(keys)))
    _erase_complaints(keys)
    counted = [counted_as(current_settings().secret_keys, key) for key in keys]
    _count(delete(LimitCounter).where(or_(*(LimitCounter.key.contains(one) for one in counted))))
    return _blank(Notice.address_key.in_(keys))


def _erase_complaints(keys: list[str]) -> None:
    """What they complained of is still to be answered for; who it was goes from within the words too."""
    theirs = select(DataComplaint).where(func.lower(DataComplaint.address).in_(keys))
    for one in db.session.scalars(theirs):
        one.words, one.answer = (_without((one.address, one.name), said) for said in (one.words, one.answer))
        one.name = one.address = ""
    db.session.flush()


def _erase_answers(keys: list[str]) -> None:
    """What they said to a question stays among the others; who said it goes, from under the words too."""
    for one in db.session.scalars(select(ViewsAnswer).where(func.lower(ViewsAnswer.address).in_(keys))):
        one.body = _without((one.address, one.name), one.body)
        one.name = one.organisation = one.address = ""
    db.session.flush()


def _without(names: tuple[str, ...], said: str) -> str:
    for name in filter(None, names):
        said = re.sub(re.escape(name), "[erased]", said, flags=re.IGNORECASE)
    return said


def _blank(*of_them: ColumnElement[bool]) -> int:
    """Take everything personal out of these notices; what waits is not sent."""
    waiting = (NoticeState.QUEUED, NoticeState.DEFERRED, NoticeState.HELD)
    _count(update(Notice).where(*of_them, Notice.state.in_(waiting)).values(state=NoticeState.DROPPED))
    return _count(update(Notice).where(*of_them).values(address="", address_key="", values={}, reply=""))


def _erase_messages(keys: list[str]) -> int:
    """Mails in the built-in mailbox, those to others that name the address too; a real mail server's are out of our
    hands."""
    notices = select(MailboxMessage.id, MailboxMessage.source).where(MailboxMessage.issue_id.is_(None))
    naming = [
        number for number, source in db.session.execute(notices) if any(key.encode() in source.lower() for key in keys)
    ]
    return _count(
        delete(MailboxMessage).where(or_(func.lower(MailboxMessage.recipient).in_(keys), MailboxMessage.id.in_(naming)))
    )


def _erase_contact(keys: list[str]) -> int:
    """The contact behind what they sent in. Their words stay the agency's; taking those down is another act."""
    _erase_answers(keys)
    whose = select(Contributor.id).where(Contributor.address_key.in_(keys))
    theirs = or_(func.lower(Contribution.contact_address).in_(keys), Contribution.contributor_id.in_(whose))
    # The email that it came by, as it came, is theirs, with their signature in it.
    came = ContributionRevision.contribution_id.in_(select(Contribution.id).where(theirs))
    _count(update(ContributionRevision).where(came, ContributionRevision.revision == 0).values(title="", body=""))
    _blank_inbound(InboundMessage.id.in_(select(Contribution.inbound_id).where(theirs)))
    _blank_told_of(set(db.session.scalars(select(Contribution.id).where(theirs))))
    _count(delete(Comment).where(Comment.contribution_id.in_(select(Contribution.id).where(theirs))))
    for_it = Extension.contribution_id.in_(select(Contribution.id).where(theirs))
    _count(update(Extension).where(for_it).values(reason="", note=""))
    # The words of the last decision greet them by name.
    emptied = ("contact_name", "contact_address", "contact_phone", "decision_note", "withdrawal_words")
    nobody = dict.fromkeys(emptied, "")
    return _count(update(Contribution).where(theirs).values(**nobody))


def _blank_told_of(contributions: set[int]) -> None:
    """The mails that told the staff what they, or an editor, wrote about what they sent in."""
    told = select(Notice.id, Notice.values).where(Notice.template.in_(_TOLD_OF))
    _blank(
        Notice.id.in_(
            [number for number, values in db.session.execute(told) if values.get("contribution") in contributions]
        )
    )


def _erase_contributor(keys: list[str]) -> int:
    """Somebody who sent in news: access, sessions, links and time of their own go; what they sent is their agency's."""
    public_ids = {
        str(one) for one in db.session.scalars(select(Contributor.public_id).where(Contributor.address_key.in_(keys)))
    }
    asked = db.session.execute(select(Notice.id, Notice.values).where(Notice.template == "contributor_asked"))
    _blank(Notice.id.in_([number for number, values in asked if values.get("contributor") in public_ids]))
    _count(delete(AddressProof).where(AddressProof.address_key.in_(keys)))
    _count(delete(Chase).where(Chase.address_key.in_(keys)))
    # Their sessions and extensions go with the row; a contribution stays, without them.
    return _count(delete(Contributor).where(Contributor.address_key.in_(keys)))


def _count(statement: Update | Delete) -> int:
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
