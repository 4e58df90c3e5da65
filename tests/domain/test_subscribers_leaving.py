"""Leaving, pausing, being forgotten."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.domain.notices import send_notice
from newsletter.domain.subscribers import (
    forgetting,
    leaving,
    offering,
    preferences,
    retaining,
    subscribing,
    suppressing,
)
from newsletter.domain.subscribers.story import story as story_of
from newsletter.errors import Refused
from newsletter.models import (
    Activity,
    Consent,
    Contribution,
    Delivery,
    MailboxMessage,
    MailingList,
    Notice,
    SignUp,
    Subscriber,
    Subscription,
)
from newsletter.states import (
    ConsentEvent,
    ContributionState,
    DeliveryState,
    NoticeState,
    SubscriptionState,
    SuppressionReason,
)
from tests import people
from tests.dump import dump

DAY = timedelta(days=1)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def asha(quarterly: MailingList, now: datetime) -> Subscriber:
    """reader1@example.org, called Asha Patel, on the quarterly."""
    subscription = people.subscribers(now, quarterly, 1)[0]
    with transaction():
        assert subscription.subscriber is not None
        subscription.subscriber.name = "Asha Patel"
        subscription.subscriber.organisation = "Oakfield School"
    assert subscription.subscriber is not None
    return subscription.subscriber


def test_leaving_is_immediate_and_repeatable(asha: Subscriber, now: datetime) -> None:
    subscription = asha.subscriptions[0]
    with transaction():
        assert leaving.unsubscribe(subscription, route="one-click", now=now)
    with transaction():
        assert not leaving.unsubscribe(subscription, route="one-click", now=now + DAY)
    assert (subscription.state, subscription.left_at) == (SubscriptionState.LEFT, now)
    consent = db.session.scalars(select(Consent)).one()
    assert (consent.event, consent.route, consent.at) == (ConsentEvent.WITHDRAWN, "one-click", now)


def test_nobody_is_written_to_about_leaving(asha: Subscriber, now: datetime) -> None:
    with transaction():
        leaving.unsubscribe_everywhere(asha, route="preferences", now=now)
    assert db.session.scalars(select(Notice)).all() == []


def test_leaving_everything_is_remembered(asha: Subscriber, now: datetime) -> None:
    people.policy_changes(now)
    with transaction():
        preferences.choose_lists(
            asha, [offer.mailing_list for offer in offering.offers(now)], offering.offers(now), now=now
        )
    with transaction():
        assert leaving.unsubscribe_everywhere(asha, route="preferences", now=now) == 2
    reasons = [one.reason for one in suppressing.suppressions_of("Reader1@Example.org")]
    assert reasons == [SuppressionReason.UNSUBSCRIBED_ALL]


def test_choosing_another_list_needs_no_mail_and_keeps_its_words(asha: Subscriber, now: datetime) -> None:
    changes = people.policy_changes(now)
    with transaction():
        preferences.choose_lists(asha, [changes], offering.offers(now), network="192.0.2.0/24", now=now)
    assert [one.slug for one in preferences.lists_of(asha)] == ["policy-changes"]
    events = [(one.event, one.route, one.wording) for one in db.session.scalars(select(Consent).order_by(Consent.id))]
    words = "The Larkmere partnership uses your address to send “Policy changes”, and for nothing else."
    assert events == [(ConsentEvent.WITHDRAWN, "preferences", ""), (ConsentEvent.GIVEN, "preferences", words)]


def test_a_list_that_is_not_offered_cannot_be_joined(asha: Subscriber, now: datetime) -> None:
    changes = people.policy_changes(now)
    with transaction():
        changes.public = False
    with transaction():
        preferences.choose_lists(asha, [changes, asha.subscriptions[0].mailing_list], offering.offers(now), now=now)
    assert [one.slug for one in preferences.lists_of(asha)] == ["safeguarding-news"]


def test_a_suppressed_address_joins_nothing(asha: Subscriber, now: datetime) -> None:
    changes = people.policy_changes(now)
    with transaction():
        suppressing.suppress(asha.address, SuppressionReason.COMPLAINT, now=now)
    with pytest.raises(Refused), transaction():
        preferences.choose_lists(asha, [changes], offering.offers(now), now=now)
    assert [one.slug for one in preferences.lists_of(asha)] == ["safeguarding-news"], "nothing half done"


def test_a_pause_ends_as_its_day_begins_where_the_list_is(asha: Subscriber, now: datetime) -> None:
    with transaction():
        preferences.pause(asha, date(2027, 6, 1), now=now)
    assert preferences.paused_until(asha, now) == datetime(2027, 5, 31, 23, 0, tzinfo=UTC)
    assert preferences.paused_until(asha, datetime(2027, 5, 31, 23, 0, tzinfo=UTC)) is None
    with pytest.raises(Refused), transaction():
        preferences.pause(asha, date(2026, 12, 7), now=now)
    with transaction():
        preferences.pause(asha, None, now=now)
    assert preferences.paused_until(asha, now) is None


def test_three_fresh_links_a_day(asha: Subscriber, now: datetime) -> None:
    for _try in range(5):
        with transaction():
            preferences.send_fresh_link(asha, now=now)
    assert [notice.template for notice in db.session.scalars(select(Notice))] == ["fresh_link"] * 3


def test_being_forgotten_leaves_no_trace_but_the_wish(
    asha: Subscriber, quarterly: MailingList, now: datetime, tmp_path: Path
) -> None:
    """The whole database is searched for the address, the name and the organisation."""
    issue = people.issue(now, quarterly)
    subscription = asha.subscriptions[0]
    with transaction() as session:
        session.add(
            Delivery(issue_id=issue.id, subscription_id=subscription.id, state=DeliveryState.ACCEPTED, updated_at=now)
        )
        session.add(
            MailboxMessage(
                at=now, sender="n@example.org", recipient="Reader1@example.org", subject="For Asha Patel", source=b"x"
            )
        )
        session.add(
            Contribution(
                reference="LK-1", issue_id=issue.id, state=ContributionState.SUBMITTED, title="Training", body="Dates",
                contact_name="Asha Patel", contact_address="reader1@example.org", contact_phone="01632 960 111",
                opened_at=now, created_at=now, submitted_at=now,
            )
        )  # fmt: skip
        send_notice("contribution_receipt", "Reader1@example.org", now=now, values={"who": "Asha Patel"}, issue=issue)
        subscribing.request_subscription(
            address="reader1@example.org",
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            name="Asha Patel", source="sign-up form", now=now,
        )  # fmt: skip
    public_id = subscription.public_id
    with transaction():
        erased = forgetting.erase_subscriber(asha, route="own wish", now=now)
    assert (erased.subscriptions, erased.messages, erased.contributions) == (1, 1, 1)
    everything = str(dump()).lower()
    for trace in ("reader1", "asha", "patel", "oakfield", "01632 960 111"):
        assert trace not in everything, trace
    left = db.session.scalars(select(Subscription)).one()
    assert (left.public_id, left.subscriber_id, left.state) == (public_id, None, SubscriptionState.LEFT)
    assert db.session.scalars(select(Delivery)).one().subscription_id == left.id
    assert [one.reason for one in suppressing.suppressions_of("reader1@example.org")] == [SuppressionReason.ERASED]
    assert all(notice.state is NoticeState.DROPPED for notice in db.session.scalars(select(Notice)))
    db.session.remove()
    db.engine.dispose()
    for file in tmp_path.glob("newsletter.db*"):
        content = file.read_bytes().lower()
        assert not [trace for trace in (b"reader1", b"asha patel", b"oakfield") if trace in content], file.name


def test_forgetting_an_address_that_only_waits(quarterly: MailingList, now: datetime) -> None:
    with transaction():
        subscribing.request_subscription(
            address="tom@example.org",
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            source="sign-up form", now=now,
        )  # fmt: skip
    with transaction():
        assert forgetting.erase_address("TOM@example.org", route="command line", now=now).sign_ups == 1
    assert "tom@example" not in str(dump())


def test_what_is_over_is_tidied_away(asha: Subscriber, quarterly: MailingList, now: datetime) -> None:
    def ask(address: str) -> None:
        with transaction():
            subscribing.request_subscription(
                address=address,
                lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
                source="sign-up form", network="192.0.2.0/24", now=now,
            )  # fmt: skip

    ask("tom@example.org")
    ask("helen@example.org")
    helen = db.session.scalars(select(SignUp).where(SignUp.address == "helen@example.org")).one()
    with transaction():
        subscribing.confirm(helen, now=now)
    with transaction():
        assert retaining.purge_unconfirmed(now + 29 * DAY) == retaining.Tidied(0, 0, 0)
    with transaction():
        assert retaining.purge_unconfirmed(now + 30 * DAY) == retaining.Tidied(2, 0, 0)
    assert [(one.address, one.confirmed_at) for one in db.session.scalars(select(SignUp))] == [("", now)]
    with transaction():
        assert retaining.purge_unconfirmed(now + 90 * DAY).networks == 1
    with transaction():
        assert retaining.purge_unconfirmed(now + 90 * DAY) == retaining.Tidied(0, 0, 0)
    assert db.session.scalars(select(Subscriber).where(Subscriber.address == "helen@example.org")).one()


def test_a_person_s_story_quotes_what_they_agreed_to(quarterly: MailingList, now: datetime) -> None:
    with transaction():
        subscribing.request_subscription(
            address="tom@example.org",
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            source="sign-up form", now=now,
        )  # fmt: skip
    with transaction():
        subscribing.confirm(db.session.scalars(select(SignUp)).one(), now=now + DAY)
    tom = db.session.scalars(select(Subscriber)).one()
    with transaction():
        leaving.unsubscribe(tom.subscriptions[0], route="link", now=now + 2 * DAY)
    told = [(event.at, event.what, event.quote) for event in story_of(tom)]
    words = "The Larkmere partnership uses your address to send “Safeguarding news”, and for nothing else."
    assert told == [
        (now + 2 * DAY, "Left “Safeguarding news”", ""),
        (now + DAY, "Subscribed to “Safeguarding news”", words),
    ]


def test_addresses_stand_in_no_record_of_activity(asha: Subscriber, now: datetime) -> None:
    with transaction():
        leaving.unsubscribe_everywhere(asha, route="link", now=now)
        leaving.say_why(asha.subscriptions[0], leaving.WhyLeft.CHANGED_JOB, now=now)
    recorded = [str((one.actor_name, one.subject_id, one.detail)) for one in db.session.scalars(select(Activity))]
    assert recorded
    assert not [line for line in recorded if "reader1" in line or addresses.key(asha.address) in line]
