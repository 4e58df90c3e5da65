"""Asha gets a new job: her address changes by two mails that prove it, and the old one can take it back."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.domain.subscribers import (
    access,
    addressing,
    forgetting,
    leaving,
    offering,
    preferences,
    retaining,
    subscribing,
    suppressing,
)
from newsletter.domain.subscribers.addressing import ChangeState
from newsletter.domain.subscribers.story import story as story_of
from newsletter.errors import Invalid, NewsletterError, NotFound, Refused, TokenExpired
from newsletter.models import Activity, AddressChange, Consent, MailingList, Notice, SignUp, Subscriber, Subscription
from newsletter.states import NoticeState, SubscriptionState, SuppressionReason
from tests import people
from tests.dump import dump

OLD, NEW, NEWER = "reader1@example.org", "asha@larkmere.example.org", "asha.patel@weir.example.org"
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def asha(quarterly: MailingList, now: datetime) -> Subscriber:
    subscription = people.subscribers(now, quarterly, 1)[0]
    assert subscription.subscriber is not None
    return subscription.subscriber


def fresh_link(subscriber: Subscriber, now: datetime) -> uuid.UUID:
    """What the mail to the present address carries."""
    with transaction():
        addressing.send_link(subscriber, now=now)
    newest = select(Notice.nonce).where(Notice.template == addressing.LINK).order_by(Notice.id.desc()).limit(1)
    return uuid.UUID(bytes=db.session.scalars(newest).one())


def ask(subscriber: Subscriber, address: str, now: datetime) -> AddressChange:
    nonce = fresh_link(subscriber, now)
    with transaction():
        return addressing.ask(nonce, address, now=now)


def moved(subscriber: Subscriber, address: str, now: datetime) -> AddressChange:
    change = ask(subscriber, address, now)
    with transaction():
        assert addressing.confirm(change, now=now)
    return change


def mails() -> list[tuple[str, str]]:
    db.session.rollback()
    return [(one.template, one.address) for one in db.session.scalars(select(Notice).order_by(Notice.id))]


def somebody_at(address: str, now: datetime) -> Subscriber:
    """A subscriber who signed up with this address, and proved it."""
    with transaction():
        subscribing.request_subscription(
            address=address,
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            source="sign-up form",
            now=now,
        )
    sign_up = db.session.scalars(select(SignUp).where(SignUp.address == address)).one()
    with transaction():
        subscribing.confirm(sign_up, now=now)
    return db.session.scalars(select(Subscriber).where(Subscriber.address == address)).one()


def test_two_mails_and_the_address_is_another(asha: Subscriber, now: datetime) -> None:
    subscription = db.session.scalars(select(Subscription)).one()
    public_id, joined = subscription.public_id, subscription.joined_at
    change = ask(asha, "Asha@Larkmere.Example.org", now)
    assert asha.address == OLD, "nothing changes before the new address has answered"
    assert addressing.state_of(change, now) is ChangeState.OPEN
    with transaction():
        assert addressing.confirm(change, now=now + HOUR)
    assert (asha.address, asha.address_key) == ("Asha@larkmere.example.org", NEW)
    assert mails() == [
        ("address_change_link", OLD),
        ("confirm_new_address", "Asha@larkmere.example.org"),
        ("address_changed", OLD),
    ]
    kept = db.session.scalars(select(Subscription)).one()
    assert (kept.public_id, kept.joined_at, kept.state) == (public_id, joined, SubscriptionState.ACTIVE)
    assert access.find_subscription(public_id).subscriber is asha
    with transaction():
        assert not addressing.confirm(change, now=now + HOUR), "a second time changes nothing"
    assert len(mails()) == 3


def test_the_record_tells_of_it_and_names_no_address(asha: Subscriber, now: datetime) -> None:
    change = moved(asha, NEW, now)
    with transaction():
        addressing.undo(change, now=now + DAY)
    lines = db.session.scalars(
        select(Activity).where(Activity.subject_type == "subscriber").order_by(Activity.id)
    ).all()
    assert [(one.action, one.subject_id, one.detail) for one in lines] == [
        ("address_change.requested", str(asha.id), {"outcome": "confirmation"}),
        ("subscriber.address_changed", str(asha.id), {}),
        ("subscriber.address_restored", str(asha.id), {}),
    ]
    story = [(one.at, one.what) for one in story_of(asha)]
    assert story == [(now + DAY, "Took the address back"), (now, "Changed the address")]


def test_a_link_works_for_an_hour_and_for_one_change(asha: Subscriber, now: datetime) -> None:
    nonce = fresh_link(asha, now)
    with pytest.raises(TokenExpired):
        addressing.find_link(nonce, now + HOUR)
    with transaction():
        addressing.ask(nonce, NEW, now=now + HOUR - SECOND)
    with pytest.raises(TokenExpired), transaction():
        addressing.ask(nonce, NEWER, now=now + HOUR - SECOND)
    assert addressing.find_link(nonce, now + HOUR).change is not None
    with pytest.raises(NotFound):
        addressing.find_link(uuid.UUID(int=1), now)


def test_a_link_to_own_data_does_not_open_the_form(asha: Subscriber, now: datetime) -> None:
    with transaction():
        notice = preferences.send_fresh_link(asha, now=now)
    assert notice is not None
    with pytest.raises(NotFound):
        addressing.find_link(uuid.UUID(bytes=notice.nonce), now)
    with pytest.raises(NotFound):
        access.find_by_fresh_link(fresh_link(asha, now), now)


def test_links_that_went_to_the_old_address_end_with_it(asha: Subscriber, now: datetime) -> None:
    with transaction():
        own_data = preferences.send_fresh_link(asha, now=now)
    assert own_data is not None
    early = fresh_link(asha, now)
    moved(asha, NEW, now)
    with pytest.raises(NotFound):
        access.find_by_fresh_link(uuid.UUID(bytes=own_data.nonce), now)
    with pytest.raises(NotFound), transaction():
        addressing.ask(early, NEWER, now=now)


def test_three_links_a_day(asha: Subscriber, now: datetime) -> None:
    for _turn in range(5):
        with transaction():
            addressing.send_link(asha, now=now)
    assert mails() == [("address_change_link", OLD)] * 3


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (OLD.upper(), "We send to this address already. Enter the new one"),
        ("asha", "Enter an email address in the form name@example.org"),
        ("asha@example.org\r\nBcc: all@example.org", "line breaks"),
        ("", "Enter an email address"),
    ],
)
def test_what_is_no_new_address_uses_nothing_up(asha: Subscriber, now: datetime, typed: str, sentence: str) -> None:
    nonce = fresh_link(asha, now)
    before = dump()
    with pytest.raises(Invalid, match=sentence), transaction():
        addressing.ask(nonce, typed, now=now)
    assert dump() == before
    with transaction():
        addressing.ask(nonce, NEW, now=now)


def test_who_asks_again_ends_the_link_before(asha: Subscriber, now: datetime) -> None:
    wrong, right = ask(asha, NEW, now), ask(asha, NEWER, now + MINUTE)
    assert addressing.state_of(wrong, now) is ChangeState.REPLACED
    with pytest.raises(Refused), transaction():
        addressing.confirm(wrong, now=now + HOUR)
    with transaction():
        addressing.confirm(right, now=now + HOUR)
    assert asha.address == NEWER


def test_a_confirmation_is_over_after_a_week(asha: Subscriber, now: datetime) -> None:
    change = ask(asha, NEW, now)
    assert addressing.state_of(change, now + 7 * DAY - SECOND) is ChangeState.OPEN
    assert addressing.state_of(change, now + 7 * DAY) is ChangeState.EXPIRED
    with pytest.raises(Refused), transaction():
        addressing.confirm(change, now=now + 7 * DAY)
    assert asha.address == OLD


# --- addresses that have their own history ---------------------------------------------------------------------


def test_an_address_with_a_subscriber_is_told_so_and_not_taken_over(asha: Subscriber, now: datetime) -> None:
    helen = somebody_at(NEW, now)
    change = ask(asha, NEW, now + 2 * DAY)
    assert mails()[-1] == ("address_known", NEW)
    with pytest.raises(Refused), transaction():
        addressing.confirm(change, now=now + 2 * DAY)
    assert (asha.address, helen.address) == (OLD, NEW)
    ask(asha, NEW, now + 2 * DAY + MINUTE)
    assert mails().count(("address_known", NEW)) == 1, "and is told once a day"


def test_somebody_who_left_keeps_the_address_too(asha: Subscriber, now: datetime) -> None:
    helen = somebody_at(NEW, now)
    with transaction():
        leaving.unsubscribe(helen.subscriptions[0], route="link", now=now)
    ask(asha, NEW, now + 2 * DAY)
    assert mails()[-1] == ("address_known", NEW)


def test_an_address_that_signs_up_meanwhile_keeps_what_it_has(asha: Subscriber, now: datetime) -> None:
    change = ask(asha, NEW, now)
    somebody_at(NEW, now + HOUR)
    assert addressing.state_of(change, now + HOUR) is ChangeState.TAKEN
    with pytest.raises(Refused), transaction():
        addressing.confirm(change, now=now + HOUR)
    assert asha.address == OLD


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_an_address_that_must_not_be_written_to_gets_nothing(
    asha: Subscriber, now: datetime, reason: SuppressionReason
) -> None:
    with transaction():
        suppressing.suppress(NEW, reason, now=now)
    change = ask(asha, NEW, now)
    assert [template for template, address in mails() if address == NEW] == []
    with pytest.raises(Refused), transaction():
        addressing.confirm(change, now=now)
    assert addressing.state_of(change, now) is ChangeState.BLOCKED
    assert [one.reason for one in suppressing.suppressions_of(NEW)] == [reason], "and nothing is lifted"


def test_an_address_we_do_not_write_to_gets_no_link_either(asha: Subscriber, now: datetime) -> None:
    with transaction():
        suppressing.suppress(OLD, SuppressionReason.COMPLAINT, now=now)
    with pytest.raises(Refused, match="We do not write to this address"), transaction():
        addressing.send_link(asha, now=now)
    assert mails() == []


def test_a_stranger_s_address_gets_few_mails_whichever_form_is_used(
    asha: Subscriber, quarterly: MailingList, now: datetime
) -> None:
    """Two a day and three in 30 days, counted together with those of the sign-up form."""
    sent = []
    for day in range(12):
        for hour in range(3):
            at = now + day * DAY + hour * HOUR
            ask(asha, NEW, at)
            with transaction():
                subscribing.request_subscription(
                    address=NEW,
                    lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
                    source="sign-up form",
                    now=at,
                )
        sent.append(len([1 for _template, address in mails() if address == NEW]))
    assert sent[0] == 2
    assert sent[-1] == 3


# --- taking it back ----------------------------------------------------------------------------------------------


def test_the_old_address_takes_it_back_within_14_days(asha: Subscriber, now: datetime) -> None:
    change = moved(asha, NEW, now)
    end = now + 14 * DAY
    assert addressing.undo_ends(change) == end
    with pytest.raises(TokenExpired), transaction():
        addressing.undo(change, now=end)
    with transaction():
        assert addressing.undo(change, now=end - SECOND)
    assert (asha.address, asha.address_key) == (OLD, OLD)
    assert mails()[-1] == ("address_change_undone", NEW)
    with transaction():
        assert not addressing.undo(change, now=end - SECOND)
    assert addressing.state_of(change, now) is ChangeState.UNDONE
    with pytest.raises(Refused), transaction():
        addressing.confirm(change, now=now + HOUR)


def test_what_was_never_made_cannot_be_taken_back(asha: Subscriber, now: datetime) -> None:
    change = ask(asha, NEW, now)
    with pytest.raises(TokenExpired), transaction():
        addressing.undo(change, now=now)


def test_a_thief_who_moves_it_twice_loses_it_at_once(asha: Subscriber, now: datetime) -> None:
    """The owner's one link brings it home from wherever it is, and the thief's links are dead."""
    first = moved(asha, NEW, now)
    second = moved(asha, NEWER, now + HOUR)
    third = ask(asha, "thief@weir.example.org", now + 2 * HOUR)
    with transaction():
        addressing.undo(first, now=now + DAY)
    assert asha.address == OLD
    with transaction():
        assert not addressing.undo(second, now=now + DAY)
    with pytest.raises(Refused), transaction():
        addressing.confirm(third, now=now + DAY)
    assert asha.address == OLD


def test_taking_it_back_where_the_old_address_has_signed_up_again_ends_what_was_moved(
    asha: Subscriber, now: datetime
) -> None:
    change = moved(asha, NEW, now)
    again = somebody_at(OLD, now + DAY)
    with transaction():
        addressing.undo(change, now=now + 2 * DAY)
    assert asha.address == NEW
    assert preferences.lists_of(asha) == []
    assert [one.route for one in db.session.scalars(select(Consent).where(Consent.route != "sign-up form"))] == [
        addressing.ROUTE_UNDONE
    ]
    assert [one.name for one in preferences.lists_of(again)] == ["Safeguarding news"]


# --- what is kept ------------------------------------------------------------------------------------------------


def test_erasing_leaves_neither_address(asha: Subscriber, now: datetime) -> None:
    moved(asha, NEW, now)
    ask(asha, NEWER, now + HOUR)
    with transaction():
        forgetting.erase_subscriber(asha, route="own wish", now=now + HOUR)
    everything = str(dump())
    for address in (OLD, NEW, NEWER):
        assert address not in everything
    waiting = select(func.count(Notice.id)).where(Notice.state == NoticeState.QUEUED)
    assert db.session.scalar(waiting) == 0
    assert [one.reason for one in suppressing.suppressions_of(NEW)] == [SuppressionReason.ERASED]


def test_erasing_spares_who_has_the_old_address_now(asha: Subscriber, now: datetime) -> None:
    moved(asha, NEW, now)
    somebody_at(OLD, now + DAY)
    with transaction():
        forgetting.erase_subscriber(asha, route="own wish", now=now + DAY)
    assert [one.address for one in db.session.scalars(select(Subscriber))] == [OLD]
    assert ("confirm_subscription", OLD) in mails()


def test_after_30_days_the_addresses_go_and_the_fact_stays(asha: Subscriber, now: datetime) -> None:
    change = moved(asha, NEW, now)
    with transaction():
        assert retaining.purge_unconfirmed(now + 30 * DAY - SECOND).address_changes == 0
    never = ask(asha, NEWER, now).public_id
    with transaction():
        assert retaining.purge_unconfirmed(now + 30 * DAY).address_changes == 2
    with transaction():
        assert retaining.purge_unconfirmed(now + 30 * DAY).address_changes == 0
    kept = db.session.scalars(select(AddressChange)).one()
    assert (kept.id, kept.old_address, kept.old_key, kept.new_address, kept.new_key) == (change.id, "", "", "", "")
    assert [one.what for one in story_of(asha)] == ["Changed the address"]
    with pytest.raises(NotFound):
        addressing.find_change(never)


# --- at once -----------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
class TestTogether:
    """Presses of one instant, on both databases."""

    def test_many_presses_are_one_change(self, app: Flask, asha: Subscriber, now: datetime) -> None:
        public_id = ask(asha, NEW, now).public_id
        db.session.remove()
        done = at_once(app, [lambda: addressing.confirm(addressing.find_change(public_id), now=now)] * 8)
        assert sorted(map(str, done)) == ["False"] * 7 + ["True"]
        assert [mail for mail in mails() if mail[0] == "address_changed"] == [("address_changed", OLD)]

    def test_many_presses_take_it_back_once(self, app: Flask, asha: Subscriber, now: datetime) -> None:
        public_id = moved(asha, NEW, now).public_id
        db.session.remove()
        done = at_once(app, [lambda: addressing.undo(addressing.find_change(public_id), now=now)] * 8)
        assert sorted(map(str, done)) == ["False"] * 7 + ["True"]

    def test_one_link_asked_with_many_times_is_one_change(self, app: Flask, asha: Subscriber, now: datetime) -> None:
        nonce = fresh_link(asha, now)
        db.session.remove()
        done = at_once(app, [lambda: bool(addressing.ask(nonce, NEW, now=now))] * 6)
        assert sorted(map(str, done)) == sorted(["True", *[str(TokenExpired)] * 5])
        assert db.session.scalar(select(func.count(AddressChange.id))) == 1

    def test_a_sign_up_and_a_change_to_one_address(self, app: Flask, asha: Subscriber, now: datetime) -> None:
        """Whichever is first, one subscriber has the address, and nobody meets an error that is not in words."""
        change_id = ask(asha, NEW, now).public_id
        with transaction():
            subscribing.request_subscription(
                address=NEW,
                lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
                source="sign-up form",
                now=now,
            )
        sign_up_id = db.session.scalars(select(SignUp.id)).one()
        db.session.remove()

        def sign_up() -> bool:
            return subscribing.confirm(db.session.get_one(SignUp, sign_up_id), now=now).already

        done = at_once(app, [lambda: addressing.confirm(addressing.find_change(change_id), now=now), sign_up])
        assert done[1] is False
        assert done[0] in (True, Refused)
        assert db.session.scalar(select(func.count(Subscriber.id)).where(Subscriber.address_key == NEW)) == 1


def at_once(app: Flask, works: list[Callable[[], bool]]) -> list[bool | type[NewsletterError]]:
    """Each in a thread and a transaction of its own, begun together; what each answered or raised."""
    start = threading.Barrier(len(works))
    ended: dict[int, bool | type[NewsletterError]] = {}

    def run(number: int) -> None:
        with app.app_context():
            start.wait()
            try:
                with transaction():
                    ended[number] = works[number]()
            except NewsletterError as error:
                ended[number] = type(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [ended[number] for number in range(len(works))]
