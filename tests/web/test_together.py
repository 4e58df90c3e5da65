"""Ruth does one thing to many subscribers, watches it, and takes it back."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter import jobs
from newsletter.db import db, transaction
from newsletter.domain.subscribers import bulk_actions, leaving, suppressing
from newsletter.models import Account, Activity, BulkAction, BulkMember, Consent, MailingList, Subscriber, Subscription
from newsletter.states import ConsentEvent, Role, SubscriptionState, SuppressionReason
from tests import people
from tests.web.public_pages import heading, words

PAGE = "/desk/subscribers/together"


@pytest.fixture(autouse=True)
def that_morning(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def policy(quarterly: MailingList, now: datetime) -> MailingList:
    return people.policy_changes(now)


@pytest.fixture
def ruth(client: FlaskClient, quarterly: MailingList, now: datetime) -> FlaskClient:
    people.sign_in(client, people.staff(now))
    return client


def everybody(do: str, shown: int, **more: str) -> dict[str, str]:
    return {"do": do, "which": "all", "of": "safeguarding-news", "state": "active", "shown": str(shown), **more}


def active_on(mailing_list: MailingList) -> set[str]:
    db.session.expire_all()
    chosen = select(Subscriber.address).join(Subscription).where(
        Subscription.list_id == mailing_list.id, Subscription.state == SubscriptionState.ACTIVE
    )  # fmt: skip
    return set(db.session.scalars(chosen))


def readers(*numbers: int) -> set[str]:
    return {f"reader{number}@example.org" for number in numbers}


def test_those_ticked_are_taken_off_and_put_back_but_not_against_their_wish(
    ruth: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    made = people.subscribers(now, quarterly, 4)
    page = ruth.get("/desk/subscribers?list=safeguarding-news")
    assert page.text.count('name="who"') == 4
    keys = [str(one.subscriber.public_id) for one in made[:3] if one.subscriber]

    asked = ruth.get(PAGE, query_string={"do": "remove", "of": "safeguarding-news", "state": "active", "who": keys})
    assert heading(asked) == "Take 3 people off a list?"
    assert len(active_on(quarterly)) == 4
    done = ruth.post(
        PAGE, data={**everybody("remove", 3), "which": "picked", "who": keys, "list": "safeguarding-news"},
        follow_redirects=True,
    )  # fmt: skip
    assert heading(done) == "3 people taken off Safeguarding news"
    assert active_on(quarterly) == readers(4)

    # One of them is erased by own wish meanwhile, one has asked that nobody writes to them any more.
    with transaction():
        suppressing.suppress("reader2@example.org", SuppressionReason.COMPLAINT, now=now)
    back = ruth.post(f"{PAGE}/{_newest().id}/undo", follow_redirects=True)
    assert heading(back) == "Taken back"
    assert "2 are as they were before 1 were changed since and stay as they are" in words(back)
    assert active_on(quarterly) == readers(1, 3, 4)
    again = ruth.post(f"{PAGE}/{_newest().id}/undo", follow_redirects=True)
    assert "cannot be taken back, or has been already" in again.text
    theirs = select(Consent.event).where(Consent.subscription_id == made[0].id).order_by(Consent.id)
    assert list(db.session.scalars(theirs)) == [ConsentEvent.WITHDRAWN, ConsentEvent.IMPORTED]


def _newest() -> BulkAction:
    return db.session.scalars(select(BulkAction).order_by(BulkAction.id.desc())).first() or pytest.fail("none")


def test_everybody_who_matches_is_added_in_the_background(
    ruth: FlaskClient, quarterly: MailingList, policy: MailingList, now: datetime
) -> None:
    """Who left that list is not brought back, nor whoever must not be written to; a dead worker is no matter."""
    made = people.subscribers(now, quarterly, 450)
    with transaction() as session:
        gone = Subscription(subscriber_id=made[0].subscriber_id, list_id=policy.id, state=SubscriptionState.ACTIVE,
                            joined_at=now, source="test")  # fmt: skip
        session.add(gone)
        session.flush()
        leaving.unsubscribe(gone, route="link", now=now)
        suppressing.suppress("reader2@example.org", SuppressionReason.BOUNCED, now=now)
    missing = ruth.post(PAGE, data=everybody("add", 450, list="policy-changes"))
    assert missing.status_code == 422
    assert "Say where these people agreed to get this, and when." in missing.text

    form = everybody("add", 450, list="policy-changes", source="Conference, 3 October 2026")
    others = ruth.post(PAGE, data={**form, "shown": "449"})
    assert "450 people match now; 449 did when you opened the page." in words(others)
    assert active_on(policy) == set()
    under_way = ruth.post(PAGE, data=form, follow_redirects=True)
    assert heading(under_way) == "Under way: add to a list"
    assert "0 of 450 people" in under_way.text
    key = _newest().id
    with transaction():
        bulk_actions._batch(db.session.get_one(BulkAction, key), now)  # a worker that dies after its first batch
    assert "200 of 450 people" in ruth.get(f"{PAGE}/{key}/part").text
    people_now = len(active_on(policy))
    jobs.continue_bulk_actions()

    assert people_now == 198
    assert len(active_on(policy)) == 448
    over = ruth.get(f"{PAGE}/{key}")
    assert heading(over) == "448 people added to Policy changes"
    assert "2 left the list, or must not be written to: they were not added" in words(over)
    given = select(func.count(Consent.id)).where(Consent.source == "Conference, 3 October 2026")
    assert db.session.scalar(given) == 448
    (told,) = db.session.scalars(select(Activity).where(Activity.action == "subscribers.changed_together"))
    assert (told.actor_name, told.detail) == ("Ruth Adeyemi", {"kind": "add", "number": 450})

    ruth.post(f"{PAGE}/{key}/undo")
    jobs.continue_bulk_actions()
    assert active_on(policy) == set()
    # Nobody had left: it was the staff's own act, so it can be done anew.
    ruth.post(PAGE, data=form)
    jobs.run_bulk_action(_newest().id)
    assert len(active_on(policy)) == 448


def test_a_pause_and_its_end(ruth: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    mine, other = people.subscribers(now, quarterly, 2)
    before = now + timedelta(days=5)
    with transaction():
        db.session.merge(other).paused_until = before
    past = ruth.post(PAGE, data=everybody("pause", 1, list="safeguarding-news", until="1 January 2020"))
    assert "Choose a day in the future to pause until." in past.text
    form = {**everybody("pause", 2, list="safeguarding-news", until="15 January 2027"), "state": "all"}
    done = ruth.post(PAGE, data=form, follow_redirects=True)
    assert heading(done) == "Safeguarding news paused for 2 people"
    assert [one.paused_until and one.paused_until.day for one in (mine, other)] == [15, 15]
    ruth.post(f"{PAGE}/{_newest().id}/undo")
    db.session.expire_all()
    assert (mine.paused_until, other.paused_until) == (None, before)


def test_people_are_written_to_no_more_and_then_again(ruth: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    people.subscribers(now, quarterly, 3)
    ruth.post(PAGE, data=everybody("suppress", 3, note="Told by phone; ask x@example.org"), follow_redirects=True)
    assert active_on(quarterly) == set()
    (kept,) = suppressing.suppressions_of("reader1@example.org")
    assert (kept.reason, "x@example.org" in kept.note) == (SuppressionReason.STAFF, False)

    ruth.post(f"{PAGE}/{_newest().id}/undo")
    assert active_on(quarterly) == readers(1, 2, 3)
    assert not suppressing.is_suppressed("reader1@example.org")


def test_who_is_forgotten_is_forgotten_for_good(ruth: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    people.subscribers(now, quarterly, 25)
    page = ruth.get(PAGE, query_string=everybody("forget", 25))
    assert "This cannot be taken back." in words(page)
    done = ruth.post(PAGE, data=everybody("forget", 25), follow_redirects=True)
    assert heading(done) == "25 people forgotten"
    assert "Take it back" not in done.text
    assert db.session.scalar(select(func.count(Subscriber.id))) == 0
    assert db.session.scalar(select(func.count(BulkMember.subscriber_id))) == 0
    assert suppressing.is_suppressed("reader7@example.org")


def test_after_a_week_it_is_not_known_whom_it_was_about(
    ruth: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    people.subscribers(now, quarterly, 2)
    ruth.post(PAGE, data=everybody("remove", 2, list="safeguarding-news"))
    with time_machine.travel(now + bulk_actions.UNDO_FOR, tick=False):
        people.sign_in(ruth, db.session.scalars(select(Account)).one())
        jobs.purge_unconfirmed()
        assert "Take it back" not in ruth.get(f"{PAGE}/{_newest().id}").text
        ruth.post(f"{PAGE}/{_newest().id}/undo")
    assert db.session.scalar(select(func.count(BulkMember.subscriber_id))) == 0
    assert active_on(quarterly) == set()


def test_nobody_acts_on_lists_that_are_not_theirs(
    client: FlaskClient, quarterly: MailingList, policy: MailingList, now: datetime
) -> None:
    made = people.subscribers(now, quarterly, 2)
    people.sign_in(client, people.staff(now, "Omar Haddad", Role.EDITOR, on=policy))
    picked = {"which": "picked", "who": [str(one.subscriber.public_id) for one in made if one.subscriber]}
    for form in (
        everybody("remove", 2, list="safeguarding-news"),
        {**everybody("remove", 2, list="safeguarding-news"), **picked},
        {**everybody("forget", 2), **picked, "of": "policy-changes", "state": "all"},
    ):
        assert client.post(PAGE, data=form).status_code in (303, 403, 422)
    assert active_on(quarterly) == readers(1, 2)
    assert db.session.scalar(select(func.count(BulkAction.id))) == 0
    assert "Forget them" not in client.get("/desk/subscribers").text


def test_viewers_see_no_boxes(client: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    people.subscribers(now, quarterly, 1)
    people.sign_in(client, people.staff(now, "Vera Lind", Role.VIEWER))
    page = client.get("/desk/subscribers")
    assert 'name="who"' not in page.text
    assert "reader1@" not in page.text
    assert client.post(PAGE, data=everybody("forget", 1)).status_code == 403
