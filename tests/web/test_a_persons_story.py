"""Everything that happened with one reader, on one page, for whoever may know of it."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.subscribers import addressing, leaving, offering, preferences, subscribing, suppressing
from newsletter.models import Account, Delivery, Feedback, MailingList, SignUp, Subscriber
from newsletter.states import DeliveryState, FeedbackKind, Role, SuppressionReason
from tests import people
from tests.web.public_pages import words

DAY = timedelta(days=1)
ASHA = "asha@example.org"


@pytest.fixture
def lists(app: Flask, now: datetime) -> tuple[MailingList, MailingList]:
    return people.larkmere(now), people.policy_changes(now)


@pytest.fixture
def asha(lists: tuple[MailingList, MailingList], now: datetime) -> Subscriber:
    """She signed up for both lists, had eight issues, paused, told her sector, and was taken off one by Ruth."""
    ruth = people.staff(now)
    with transaction():
        subscribing.request_subscription(
            address=ASHA, lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            name="Asha Patel", organisation="", source="sign-up form", network="", now=now,
        )  # fmt: skip
    with transaction():
        subscribing.confirm(db.session.scalars(select(SignUp)).one(), now=now + DAY)
    asha = db.session.scalars(select(Subscriber)).one()
    for number in range(8):
        issue = people.issue(now, lists[0], f"Issue {number}", f"issue-{number}")
        with transaction() as session:
            sent = Delivery(issue_id=issue.id, subscription_id=asha.subscriptions[0].id, state=DeliveryState.ACCEPTED,
                            updated_at=now + (2 + number) * DAY)  # fmt: skip
            session.add(sent)
    with transaction() as session:
        bounced = Feedback(kind=FeedbackKind.SOFT, subscription_id=asha.subscriptions[0].id, issue_id=issue.id,
                           at=now + 11 * DAY, reply=f"452 <{ASHA}> full")  # fmt: skip
        session.add(bounced)
        preferences.pause(asha, (now + 40 * DAY).date(), now=now + 12 * DAY)
        preferences.change_details(asha, name="Asha Patel", organisation="Weir School", sector="", now=now + 13 * DAY)
        addressing.send_link(asha, now=now + 14 * DAY)
        leaving.unsubscribe(asha.subscriptions[1], route="staff", now=now + 15 * DAY, actor=ruth)
        kept = suppressing.suppress(ASHA, SuppressionReason.BOUNCED, now=now + 16 * DAY)
        suppressing.lift(kept, "Their server is mended", actor=ruth, now=now + 17 * DAY)
    return asha


def page_of(client: FlaskClient, who: Subscriber, at: datetime, query: str = "") -> str:
    with time_machine.travel(at, tick=False):
        return words(client.get(f"/desk/subscribers/{who.public_id}{query}")).partition("What happened")[2]


def test_all_of_it_newest_first(client: FlaskClient, asha: Subscriber, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in(client, db.session.scalars(select(Account)).one())
    told = page_of(client, asha, now)

    expected = [
        "May get mail again",
        "Gets no mail from here on",
        "Left “Policy changes”",
        "Was mailed: Link to change an address",
        "Changed what they say about themselves",
        "Paused",
        "“Issue 7” came back: not this time",
        "“Issue 7” was accepted by the mail server",
        "2 older issues, 2 accepted",
        "Subscribed to “Safeguarding news”",
        "Was mailed: Please confirm",
    ]
    places = [told.find(each) for each in expected]
    assert -1 not in places, [each for each, at in zip(expected, places, strict=True) if at < 0]
    assert places == sorted(places)
    assert "By Ruth Adeyemi, of the team." in told
    assert "Mail came back: there is no such mailbox." in told
    assert "Their server is mended" in told
    assert f"452 <{ASHA}> full" in told
    assert "to send “Safeguarding news”, and for nothing else." in told
    every = page_of(client, asha, now, "?all=yes")
    assert "“Issue 0” was accepted by the mail server" in every
    assert "older issues" not in every


def test_viewers_and_editors_of_one_list_see_their_part(
    client: FlaskClient, asha: Subscriber, lists: tuple[MailingList, MailingList], now: datetime
) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now, "Vera Lind", Role.VIEWER, on=lists[1]))
    told = page_of(client, asha, now)
    assert "Left “Policy changes”" in told
    for unseen in ("Safeguarding news", "Issue", ASHA, "Was mailed: Link to change"):
        assert unseen not in told
