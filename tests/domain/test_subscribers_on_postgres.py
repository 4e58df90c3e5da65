"""What staff do to many subscribers, the outlook of retention and being forgotten, on PostgreSQL."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.domain.subscribers import bulk_actions, forgetting, retaining, story, suppressing
from newsletter.domain.subscribers.bulk_actions import Selection
from newsletter.domain.subscribers.bulk_kinds import Kind
from newsletter.domain.subscribers.finding import Standing
from newsletter.models import BulkAction, BulkMember, MailingList, Subscription
from newsletter.states import BulkState, SubscriptionState
from tests import people
from tests.databases import on_postgres

pytestmark = on_postgres


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


def active() -> int:
    chosen = select(func.count(Subscription.id)).where(Subscription.state == SubscriptionState.ACTIVE)
    return db.session.scalar(chosen) or 0


def test_each_act_and_its_way_back(quarterly: MailingList, now: datetime) -> None:
    ruth, policy = people.staff(now), people.policy_changes(now)
    people.subscribers(now, quarterly, 5)
    everybody = Selection(quarterly, state=Standing.ACTIVE, shown=5)
    until = (now + timedelta(days=30)).date().isoformat()
    for kind, asked, over in (
        (Kind.ADD, {"source": "Conference, 3 October 2026"}, 10),
        (Kind.PAUSE, {"until": until}, 5),
        (Kind.REMOVE, {}, 0),
        (Kind.SUPPRESS, {"note": "They rang"}, 0),
    ):
        with transaction():
            target = policy if kind is Kind.ADD else quarterly
            action = bulk_actions.start(kind, everybody, mailing_list=target, asked=asked, actor=ruth, now=now)
        bulk_actions.perform(action.id, now)
        assert (active(), action.state, action.counts) == (over, BulkState.DONE, {"done": 5}), kind
        with transaction():
            bulk_actions.undo(action, actor=ruth, now=now)
        bulk_actions.perform(action.id, now)
        assert (active(), action.undo) == (5, {"undone": 5}), kind
    assert not suppressing.is_suppressed("reader1@example.org")
    person = db.session.scalars(select(Subscription)).first()
    assert person is not None and person.subscriber is not None
    assert "Gets no mail from here on" in [event.what for event in story.story(person.subscriber)]
    assert [one.going for one in retaining.outlook(now)] == [0] * len(retaining.RULES)


def test_who_is_forgotten_takes_their_place_in_it_along(quarterly: MailingList, now: datetime) -> None:
    ruth = people.staff(now)
    people.subscribers(now, quarterly, 3)
    with transaction():
        action = bulk_actions.start(
            Kind.REMOVE, Selection(quarterly), mailing_list=quarterly, asked={}, actor=ruth, now=now
        )
        key = action.id
    with transaction():
        forgetting.erase_address("reader2@example.org", route="own wish", now=now)
    bulk_actions.perform(key, now)
    action = db.session.get_one(BulkAction, key)
    assert (action.number, action.counts, action.state) == (3, {"done": 2}, BulkState.DONE)
    assert db.session.scalar(select(func.count(BulkMember.subscriber_id))) == 2
