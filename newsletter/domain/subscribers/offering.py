"""What a visitor can sign up for, and in which words they are asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from ...db import db
from ...models import ConsentWording, MailingList, PrivacyNotice


@dataclass(frozen=True)
class Offer:
    """One list, and the wording that stood beside its box."""

    mailing_list: MailingList
    wording: ConsentWording


def offers(at: datetime) -> list[Offer]:
    """The public lists in the order they were made, each with the wording that was published at `at`.

    Empty until there is a privacy notice: nobody can agree to what they cannot read.
    """
    if privacy_version() is None:
        return []
    found = ((one, wording_of(one, at)) for one in public_lists())
    return [Offer(one, wording) for one, wording in found if wording is not None]


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
