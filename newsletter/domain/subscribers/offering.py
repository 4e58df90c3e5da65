"""What a visitor can sign up for, and in which words they are asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select

from ...db import UTCDateTime, db
from ...models import ConsentWording, MailingList, PrivacyNotice


@dataclass(frozen=True)
class Offer:
    """One list, and the wording that stood beside its box."""

    mailing_list: MailingList
    wording: ConsentWording


_newest = (
    select(func.max(ConsentWording.version))
    .where(
        ConsentWording.list_id == MailingList.id,
        ConsentWording.published_at <= bindparam("at", type_=UTCDateTime),
    )
    .correlate(MailingList)
    .scalar_subquery()
)
#: Made once: every form of a public page asks it, and it takes as long to put together as to answer.
_OFFERED = (
    select(MailingList, ConsentWording)
    .join(ConsentWording, (ConsentWording.list_id == MailingList.id) & (ConsentWording.version == _newest))
    .where(MailingList.public, select(PrivacyNotice.version).exists())
    .order_by(MailingList.id)
)


def offers(at: datetime) -> list[Offer]:
    """The public lists in the order they were made, each with the wording that was published at `at`.

    Empty until there is a privacy notice: nobody can agree to what they cannot read.
    """
    return [Offer(one, wording) for one, wording in db.session.execute(_OFFERED, {"at": at}).all()]


def offers_apart(at: datetime) -> list[Offer]:
    """As `offers`, of objects that stand as they were read, whatever is committed: not one is read again.

    What somebody else in this session holds already stays in it.
    """
    held = set(db.session())
    found = offers(at)
    for offer in found:
        for one in (offer.mailing_list, offer.wording):
            if one not in held:
                db.session.expunge(one)
    return found


def public_lists(slugs: Collection[str] | None = None) -> Sequence[MailingList]:
    """The public lists in the order they were made; of these slugs alone, where some are given."""
    chosen = select(MailingList).where(MailingList.public).order_by(MailingList.id)
    return db.session.scalars(chosen if slugs is None else chosen.where(MailingList.slug.in_(slugs))).all()


def wording_of(mailing_list: MailingList, at: datetime) -> ConsentWording | None:
    """The newest wording of the list that had been published at `at`; None for a list that has none yet."""
    chosen = (
        select(ConsentWording)
        .where(ConsentWording.list_id == mailing_list.id, ConsentWording.published_at <= at)
        .order_by(ConsentWording.version.desc())
        .limit(1)
    )
    return db.session.scalar(chosen)


def privacy_version() -> int | None:
    """The version of the privacy notice in force, or None before there is one."""
    return db.session.scalar(select(func.max(PrivacyNotice.version)))
