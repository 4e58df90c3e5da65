"""Issues that are being sent, made of rows: what approval and launch leave behind, without going through them."""

from datetime import datetime

from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery.launch import freeze
from newsletter.models import Delivery, Issue, MailingList, Rendition, Subscriber, Subscription
from newsletter.states import DeliveryState, IssueState
from tests import people

HTML = (
    "<p>News of the partnership.</p>"
    '<p><a href="{preferences_url}">Choose what you get</a> or <a href="{unsubscribe_url}">unsubscribe</a>.</p>'
)
TEXT = "News of the partnership.\n\nChoose what you get: {preferences_url}\nUnsubscribe: {unsubscribe_url}\n"


def headers(mailing_list: MailingList) -> dict[str, str]:
    return {
        "From": f"{mailing_list.sender_name} <{mailing_list.sender_address}>",
        "Reply-To": f"{mailing_list.name} <{mailing_list.contact_address}>",
        "Content-Language": "en-GB",
        "List-Id": f"{mailing_list.name} <{mailing_list.slug}.news.example.org>",
        "Precedence": "bulk",
    }


def rendition(now: datetime, issue: Issue) -> Rendition:
    """What was approved: a small mail with both links."""
    made = Rendition(
        issue_id=issue.id,
        content_version=issue.content_version,
        subject="Safeguarding news: December 2026",
        headers=headers(issue.mailing_list),
        html=HTML,
        text=TEXT,
        web="<p>News of the partnership.</p>",
        audience={},
        content_hash=bytes(32),
        created_at=now,
    )
    db.session.add(made)
    db.session.flush()
    return made


def sending(now: datetime, readers: int, mailing_list: MailingList | None = None) -> Issue:
    """An issue in the state `sending`, frozen to `readers` new people of the list; nothing of it has left."""
    mailing_list = mailing_list or people.larkmere(now)
    people.subscribers(now, mailing_list, readers)
    return sending_to(now, mailing_list, "december-2026")


def sending_to(now: datetime, mailing_list: MailingList, slug: str) -> Issue:
    """The same, to those who are on the list already."""
    issue = people.issue(now, mailing_list, slug=slug)
    with transaction():
        made = rendition(now, issue)
        issue.rendition_id, issue.started_at, issue.state = made.id, now, IssueState.SENDING
        issue.recipients = freeze(issue, now)
    return issue


def delivery_to(address: str) -> Delivery:
    """The delivery to one reader, as it stands in the database now."""
    db.session.rollback()
    return db.session.scalars(
        select(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscriber.address == address)
        .order_by(Delivery.id.desc())
    ).first()


def states(issue: Issue) -> dict[str, DeliveryState]:
    """Where each reader of the issue stands, by address."""
    db.session.rollback()
    rows = db.session.execute(
        select(Subscriber.address, Delivery.state)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Delivery.issue_id == issue.id)
    )
    return dict(rows.all())


def get_delivery(number: int) -> Delivery:
    """A delivery by its key."""
    return db.session.get_one(Delivery, number)
