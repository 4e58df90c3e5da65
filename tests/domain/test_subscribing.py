"""Double opt-in: Tom asks, Tom's inbox is asked, Tom presses the button."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.domain.subscribers import leaving, offering, sign_ups, subscribing, suppressing
from newsletter.domain.subscribers.sign_ups import SignUpState
from newsletter.errors import Refused, TokenExpired
from newsletter.models import (
    Activity,
    Consent,
    ConsentWording,
    MailingList,
    Notice,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
)
from newsletter.states import ConsentEvent, SubscriptionState, SuppressionReason
from tests import people

TOM = "tom.example@example.org"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def changes(quarterly: MailingList, now: datetime) -> MailingList:
    return people.policy_changes(now)


def ask(now: datetime, *lists: MailingList, address: str = TOM, name: str = "", organisation: str = "") -> None:
    wanted = {one.slug for one in lists}
    with transaction():
        subscribing.request_subscription(
            address=address,
            lists_with_wordings=[
                (offer.mailing_list, offer.wording)
                for offer in offering.offers(now)
                if offer.mailing_list.slug in wanted
            ],
            name=name,
            organisation=organisation,
            source="sign-up form",
            network="192.0.2.0/24",
            now=now,
        )


def newest() -> SignUp:
    return db.session.scalars(select(SignUp).order_by(SignUp.id.desc())).first() or pytest.fail("nobody signed up")


def confirm(now: datetime, sign_up: SignUp | None = None) -> subscribing.Confirmation:
    with transaction():
        return subscribing.confirm(sign_up or newest(), now=now)


def mails(address: str = TOM) -> list[str]:
    chosen = select(Notice.template).where(Notice.address_key == addresses.key(address)).order_by(Notice.id)
    return list(db.session.scalars(chosen))


def outcomes() -> list[str]:
    chosen = select(Activity).where(Activity.action == "sign_up.requested").order_by(Activity.id)
    return [entry.detail["outcome"] for entry in db.session.scalars(chosen)]


def lists_of(address: str = TOM) -> list[str]:
    chosen = (
        select(MailingList.slug)
        .join(Subscription, Subscription.list_id == MailingList.id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscriber.address_key == addresses.key(address), Subscription.state == SubscriptionState.ACTIVE)
        .order_by(MailingList.id)
    )
    return list(db.session.scalars(chosen))


def test_tom_is_on_no_list_until_he_confirms(quarterly: MailingList, now: datetime) -> None:
    ask(now, quarterly)
    assert mails() == ["confirm_subscription"]
    assert lists_of() == []
    assert db.session.scalars(select(Subscriber)).all() == []
    done = confirm(now + HOUR)
    assert (done.already, [one.slug for one in done.lists]) == (False, ["safeguarding-news"])
    assert lists_of() == ["safeguarding-news"]


def test_the_consent_holds_the_words_of_the_day_he_asked(quarterly: MailingList, now: datetime) -> None:
    ask(now, quarterly)
    words = "The Larkmere partnership uses your address to send “Safeguarding news”, and for nothing else."
    with transaction() as session:
        session.add(
            ConsentWording(
                list_id=quarterly.id, version=2, text="New words.", language="en-GB", published_at=now + HOUR
            )
        )
    confirm(now + DAY)
    consent = db.session.scalars(select(Consent)).one()
    assert (consent.event, consent.wording, consent.privacy_version) == (ConsentEvent.GIVEN, words, 1)
    assert (consent.asked_at, consent.at) == (now, now + DAY)
    assert (consent.route, consent.source, consent.network) == ("sign-up form", "sign-up form", "192.0.2.0/24")


def test_one_mail_for_all_the_lists_he_ticked(quarterly: MailingList, changes: MailingList, now: datetime) -> None:
    ask(now, quarterly, changes)
    assert mails() == ["confirm_subscription"]
    confirm(now)
    assert lists_of() == ["safeguarding-news", "policy-changes"]
    assert len(db.session.scalars(select(Consent)).all()) == 2


def test_a_thousand_requests_are_one_mail(quarterly: MailingList, now: datetime) -> None:
    spellings = [TOM, "Tom.Example@example.org", "TOM.EXAMPLE@example.org"]
    (offer,) = offering.offers(now)
    with transaction():
        for number in range(1000):
            subscribing.request_subscription(
                address=spellings[number % 3],
                lists_with_wordings=[(offer.mailing_list, offer.wording)],
                source="sign-up form",
                now=now + timedelta(seconds=number),
            )
    assert mails() == ["confirm_subscription"]
    assert outcomes() == ["confirmation", *["limited"] * 999]


def test_more_lists_cost_a_second_mail_and_no_third(
    quarterly: MailingList, changes: MailingList, now: datetime
) -> None:
    ask(now, quarterly)
    ask(now + HOUR, changes)
    ask(now + 2 * HOUR, quarterly, changes)
    assert mails() == ["confirm_subscription", "confirm_subscription"]
    first = db.session.scalars(select(SignUp).order_by(SignUp.id)).first()
    assert first is not None
    assert sign_ups.state_of(first, now) is SignUpState.REPLACED
    confirm(now + 3 * HOUR)
    assert lists_of() == ["safeguarding-news", "policy-changes"], "the second link knows what the first asked for"


def test_sending_again_is_possible_once(quarterly: MailingList, now: datetime) -> None:
    ask(now, quarterly)
    for minutes in (5, 6, 7):
        with transaction():
            subscribing.send_again(TOM, now=now + timedelta(minutes=minutes))
    assert len(mails()) == 2
    assert {notice.values["sign_up"] for notice in db.session.scalars(select(Notice))} == {str(newest().public_id)}


def test_sending_again_what_nobody_asked_for_sends_nothing(quarterly: MailingList, now: datetime) -> None:
    with transaction():
        subscribing.send_again(TOM, now=now)
    assert mails() == []


def test_three_mails_in_thirty_days_then_silence(quarterly: MailingList, now: datetime) -> None:
    for day in range(0, 30, 2):
        ask(now + day * DAY, quarterly)
    assert len(mails()) == 3
    ask(now + 40 * DAY, quarterly)
    assert len(mails()) == 4


def test_who_is_subscribed_is_told_so_once_a_day(quarterly: MailingList, changes: MailingList, now: datetime) -> None:
    ask(now, quarterly)
    confirm(now)
    ask(now + 2 * DAY, quarterly)
    ask(now + 2 * DAY + HOUR, quarterly)
    assert mails() == ["confirm_subscription", "already_subscribed"]


def test_who_is_subscribed_may_ask_for_another_list(
    quarterly: MailingList, changes: MailingList, now: datetime
) -> None:
    ask(now, quarterly)
    confirm(now)
    ask(now + 2 * DAY, quarterly, changes)
    assert [choice.list_id for choice in newest().choices] == [changes.id]
    confirm(now + 2 * DAY)
    assert lists_of() == ["safeguarding-news", "policy-changes"]


@pytest.mark.parametrize(
    "reason",
    [SuppressionReason.NOT_ME, SuppressionReason.COMPLAINT, SuppressionReason.BOUNCED, SuppressionReason.STAFF],
)
def test_a_suppressed_address_gets_nothing(
    quarterly: MailingList, changes: MailingList, now: datetime, reason: SuppressionReason
) -> None:
    with transaction():
        suppressing.suppress(TOM, reason, now=now)
    ask(now, quarterly, changes, address="Tom.Example@EXAMPLE.org")
    assert (mails(), outcomes()) == ([], ["suppressed"])
    assert db.session.scalars(select(SignUp)).all() == []


@pytest.mark.parametrize("reason", [SuppressionReason.UNSUBSCRIBED_ALL, SuppressionReason.ERASED])
def test_who_left_everything_may_come_back_by_their_own_hand(
    quarterly: MailingList, now: datetime, reason: SuppressionReason
) -> None:
    with transaction():
        suppressing.suppress(TOM, reason, now=now)
    ask(now, quarterly)
    assert suppressing.is_suppressed(TOM), "asking lifts nothing: anybody can ask"
    confirm(now + HOUR)
    assert not suppressing.is_suppressed(TOM)
    lifted = db.session.scalars(select(Suppression)).one()
    assert (lifted.lifted_at, lifted.lift_reason) == (
        now + HOUR,
        "The person asked again and proved the address",
    )


def test_confirming_twice_is_confirming_once(quarterly: MailingList, now: datetime) -> None:
    ask(now, quarterly)
    confirm(now)
    assert confirm(now + HOUR).already
    assert len(db.session.scalars(select(Consent)).all()) == 1


def test_a_link_lasts_seven_days_and_then_offers_another(quarterly: MailingList, now: datetime) -> None:
    ask(now, quarterly, name="Tom Hargreave")
    late = now + 7 * DAY
    assert sign_ups.state_of(newest(), late - timedelta(seconds=1)) is SignUpState.OPEN
    assert sign_ups.state_of(newest(), late) is SignUpState.EXPIRED
    with pytest.raises(TokenExpired):
        confirm(late)
    old = newest()
    with transaction():
        subscribing.ask_again(old, now=late)
    assert newest().id != old.id
    assert sign_ups.state_of(old, late) is SignUpState.REPLACED
    confirm(late)
    assert lists_of() == ["safeguarding-news"]
    assert db.session.scalars(select(Subscriber)).one().name == "Tom Hargreave"


def test_it_was_not_tom(quarterly: MailingList, now: datetime) -> None:
    ask(now, quarterly)
    with transaction():
        assert subscribing.disown(newest(), now=now)
    with transaction():
        assert not subscribing.disown(newest(), now=now)
    assert sign_ups.state_of(newest(), now) is SignUpState.DISOWNED
    with pytest.raises(Refused):
        confirm(now)
    ask(now + 2 * DAY, quarterly)
    assert mails() == ["confirm_subscription"]


def test_it_was_not_tom_although_somebody_pressed_the_button(
    quarterly: MailingList, changes: MailingList, now: datetime
) -> None:
    ask(now, changes)
    confirm(now)
    ask(now + 2 * DAY, quarterly)
    confirm(now + 2 * DAY)
    with transaction():
        subscribing.disown(newest(), now=now + 3 * DAY)
    assert lists_of() == ["policy-changes"], "what he had asked for himself stays"


def test_a_public_form_does_not_rename_anybody(quarterly: MailingList, changes: MailingList, now: datetime) -> None:
    ask(now, quarterly, name="Tom Hargreave")
    confirm(now)
    ask(now + 2 * DAY, changes, name="Mallory", organisation="Oakfield School")
    confirm(now + 2 * DAY)
    tom = db.session.scalars(select(Subscriber)).one()
    assert (tom.name, tom.organisation) == ("Tom Hargreave", "Oakfield School")


def test_coming_back_is_the_same_subscription_with_new_evidence(quarterly: MailingList, now: datetime) -> None:
    ask(now, quarterly)
    confirm(now)
    subscription = db.session.scalars(select(Subscription)).one()
    with transaction():
        leaving.unsubscribe(subscription, route="link", now=now + DAY)
    ask(now + 2 * DAY, quarterly)
    confirm(now + 2 * DAY)
    assert (subscription.state, subscription.left_at) == (SubscriptionState.ACTIVE, None)
    events = [consent.event for consent in db.session.scalars(select(Consent).order_by(Consent.id))]
    assert events == [ConsentEvent.GIVEN, ConsentEvent.WITHDRAWN, ConsentEvent.GIVEN]


def test_the_answer_writes_whatever_was_decided(quarterly: MailingList, now: datetime) -> None:
    with transaction():
        suppressing.suppress("gone@example.org", SuppressionReason.COMPLAINT, now=now)
    for address in ("new@example.org", "new@example.org", "gone@example.org"):
        ask(now, quarterly, address=address)
    assert outcomes() == ["confirmation", "limited", "suppressed"]
    assert all(address not in str(entry.detail) for entry in db.session.scalars(select(Activity)) for address in (TOM,))
