"""Whoever was silent for long is asked whether they still want a list: gently, once, and never by surprise."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.delivery.notices import outbox
from newsletter.domain.subscribers import (
    forgetting,
    joining,
    leaving,
    offering,
    preferences,
    renewal_answers,
    renewal_rules,
    renewing,
    sealing,
    suppressing,
)
from newsletter.errors import Invalid, NotAllowed, Refused, TokenExpired
from newsletter.mail.memory import MemoryRelay
from newsletter.models import (
    Account,
    Activity,
    Consent,
    Issue,
    MailingList,
    Notice,
    Organisation,
    Rendition,
    Renewal,
    Subscription,
)
from newsletter.states import (
    ConsentEvent,
    IssueState,
    LawfulBasis,
    NoticeState,
    RenewalState,
    Role,
    SendingMode,
    SubscriptionState,
    SuppressionReason,
)
from tests import people

pytestmark = pytest.mark.both_databases
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
YEAR = 365 * DAY


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    """Sends to everyone, by a mail server."""
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], relay_url="smtp://127.0.0.1:2")
    return people.larkmere(now - 4 * YEAR)


@pytest.fixture
def miriam(quarterly: MailingList, now: datetime) -> Account:
    return people.staff(now, "Miriam Okoro", Role.ADMIN)


@pytest.fixture
def silent(quarterly: MailingList, now: datetime) -> list[Subscription]:
    """Three people who signed up three years ago, and nothing since."""
    return people.subscribers(now - 3 * YEAR, quarterly, 3)


@pytest.fixture
def decided(quarterly: MailingList, miriam: Account, now: datetime) -> None:
    with transaction():
        renewal_rules.decide(quarterly, 24, "", actor=miriam, now=now)


def run(mailing_list: MailingList, now: datetime) -> dict[str, int]:
    """A run, and the mails that leave by it."""
    done = dict(renewing.run(mailing_list.id, now))
    outbox.deliver_notices(now)
    db.session.expire_all()
    return done


def states() -> list[RenewalState]:
    return list(db.session.scalars(select(Renewal.state).order_by(Renewal.id)))


def active() -> int:
    on = Subscription.state == SubscriptionState.ACTIVE
    return db.session.scalar(select(func.count(Subscription.id)).where(on)) or 0


def test_nobody_is_asked_before_somebody_decided(
    quarterly: MailingList, silent: list[Subscription], now: datetime
) -> None:
    assert renewing.lists_to_ask() == []
    assert run(quarterly, now) == {}
    view = renewal_rules.outlook(quarterly, now)
    assert (view.rule, view.active, view.due, view.waiting) == (None, 3, 3, 0)
    assert db.session.scalars(select(Notice)).all() == []


def test_asked_reminded_and_gone_after_thirty_days(
    quarterly: MailingList, silent: list[Subscription], decided: None, relay: MemoryRelay, now: datetime
) -> None:
    assert renewing.lists_to_ask() == [quarterly.id]
    assert run(quarterly, now) == {"asked": 3}
    assert run(quarterly, now + HOUR) == {}
    assert run(quarterly, now + 14 * DAY - HOUR) == {}
    assert run(quarterly, now + 14 * DAY) == {"reminded": 3}
    assert run(quarterly, now + 30 * DAY - HOUR) == {}
    assert active() == 3
    assert run(quarterly, now + 30 * DAY) == {"left": 3}
    assert (active(), states()) == (0, [RenewalState.LAPSED] * 3)
    assert run(quarterly, now + 31 * DAY) == {}
    assert len(relay.accepted) == 6
    first = relay.accepted[0].message.decode()
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in first
    evidence = db.session.scalars(select(Consent).order_by(Consent.id)).all()
    assert [(one.event, one.route, one.actor_id) for one in evidence] == [
        (ConsentEvent.WITHDRAWN, renewing.ROUTE, None)
    ] * 3
    told = db.session.scalars(select(Activity).where(Activity.action == "subscription.left"))
    assert {one.actor_name for one in told} == {"The system"}
    runs = db.session.scalars(select(Activity).where(Activity.action == "renewals.run").order_by(Activity.id))
    assert [one.detail["counts"] for one in runs] == [["asked 3"], ["reminded 3"], ["left 3"]]
    sealing.seal_all(now + 31 * DAY)
    assert sealing.verify().holds


def test_who_says_yes_stays_with_evidence_and_is_asked_again_in_two_years(
    quarterly: MailingList, silent: list[Subscription], decided: None, now: datetime
) -> None:
    run(quarterly, now)
    first = db.session.scalars(select(Renewal).order_by(Renewal.id)).first()
    public_id = first.public_id
    with transaction():
        assert renewal_answers.keep(renewal_answers.find(public_id, now + DAY), now=now + DAY)
    with transaction():
        assert not renewal_answers.keep(renewal_answers.find(public_id, now + 2 * DAY), now=now + 2 * DAY)
    (given,) = db.session.scalars(select(Consent))
    assert (given.event, given.route, given.asked_at) == (ConsentEvent.GIVEN, renewal_answers.ROUTE, now)
    assert given.wording == offering.wording_of(quarterly, now).text
    run(quarterly, now + 14 * DAY)
    run(quarterly, now + 30 * DAY)
    assert active() == 1
    assert run(quarterly, now + DAY + 2 * YEAR - DAY) == {}
    assert run(quarterly, now + 3 * DAY + 2 * YEAR) == {"asked": 1}


def test_anything_they_do_themselves_is_an_answer(
    quarterly: MailingList, silent: list[Subscription], decided: None, now: datetime
) -> None:
    changes = people.policy_changes(now)
    run(quarterly, now)
    one, two, three = (each.subscriber for each in silent)
    day = now + DAY
    with transaction():
        preferences.choose_lists(one, [quarterly], offering.offers(day), now=day)
        preferences.pause(two, (day + 60 * DAY).date(), now=day)
        evidence = joining.Evidence(offering.wording_of(changes, day), 1, "sign-up form")
        joining.join(three, changes, evidence, now=day)
    db.session.expire_all()
    assert states() == [RenewalState.KEPT] * 3
    assert [each.renewed_at for each in silent] == [day] * 3
    assert run(quarterly, now + 31 * DAY) == {}
    assert active() == 4


def test_whoever_was_heard_from_meanwhile_is_not_asked(
    quarterly: MailingList, silent: list[Subscription], decided: None, now: datetime
) -> None:
    with transaction():
        preferences.change_details(silent[0].subscriber, name="Asha", organisation="", sector="", now=now - YEAR)
    assert renewal_rules.count_due(quarterly, 24, now) == 2
    assert run(quarterly, now) == {"asked": 2}
    assert run(quarterly, now + YEAR + 3 * DAY)["asked"] == 1


def test_silence_is_taken_back_by_the_same_link_and_a_no_is_not(
    quarterly: MailingList, silent: list[Subscription], decided: None, now: datetime
) -> None:
    for days in (0, 14, 30):
        run(quarterly, now + days * DAY)
    back, erased, other = db.session.scalars(select(Renewal.public_id).order_by(Renewal.id)).all()
    later = now + 40 * DAY
    with transaction():
        assert renewal_answers.keep(renewal_answers.find(back, later), now=later)
    assert (active(), states()[0]) == (1, RenewalState.KEPT)
    (given,) = db.session.scalars(select(Consent).where(Consent.event == ConsentEvent.GIVEN))
    assert (given.subscription_id, given.asked_at) == (silent[0].id, now)
    with transaction():
        leaving.unsubscribe(db.session.get_one(Subscription, silent[0].id), route="link", now=later + DAY)
    with pytest.raises(Refused, match="You left this list yourself"), transaction():
        renewal_answers.keep(renewal_answers.find(back, later + 2 * DAY), now=later + 2 * DAY)
    with transaction():
        forgetting.erase_subscriber(silent[1].subscriber, route="link", now=later)
    assert active() == 0
    with pytest.raises(Exception, match="hold nothing about you"):
        renewal_answers.find(erased, later)
    with pytest.raises(TokenExpired):
        renewal_answers.find(other, now + 181 * DAY)


@pytest.mark.parametrize("what", ["mode", "no relay", "an issue", "no rule"])
def test_nobody_is_asked_or_leaves_while_no_mail_would_go(
    app: Flask, quarterly: MailingList, silent: list[Subscription], decided: None, now: datetime, what: str
) -> None:
    issue = people.issue(now, quarterly)
    before = app.config["NEWSLETTER"]
    run(quarterly, now)
    run(quarterly, now + 14 * DAY)

    def hinder(on: bool) -> None:
        with transaction() as session:
            match what:
                case "mode":
                    mode = SendingMode.TEAM if on else SendingMode.EVERYONE
                    session.get_one(Organisation, 1).sending_mode = mode
                case "no relay":
                    app.config["NEWSLETTER"] = replace(before, relay_url=None if on else before.relay_url)
                case "an issue":
                    issue.rendition_id = issue.rendition_id or rendition(issue, now)
                    issue.state = IssueState.SENDING if on else IssueState.DRAFT
                    issue.started_at = now if on else None
                case "no rule":
                    months, why = (0, "Everybody here is told by law") if on else (24, "")
                    actor = session.scalars(select(Account)).one()
                    renewal_rules.decide(quarterly, months, why, actor=actor, now=now)

    hinder(True)
    assert run(quarterly, now + 40 * DAY) == {}
    assert active() == 3
    hinder(False)
    again = run(quarterly, now + 41 * DAY)
    # Who was let off by "never" begins anew, and not before the months have passed again.
    assert again == ({} if what == "no rule" else {"left": 3})


def rendition(issue: Issue, now: datetime) -> int:
    """What is being sent, as far as its row must be there."""
    made = Rendition(
        issue_id=issue.id, content_version=1, subject="", headers={}, html="", text="", web="", media={}, audience={},
        content_hash=bytes(32), created_at=now,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    return made.id


def test_nobody_leaves_for_a_mail_that_did_not_arrive(
    quarterly: MailingList, silent: list[Subscription], decided: None, now: datetime
) -> None:
    run(quarterly, now)
    first, second, third = db.session.scalars(select(Notice).order_by(Notice.id)).all()
    with transaction():
        first.state, first.accepted_at = NoticeState.REFUSED, None
        second.state, second.accepted_at = NoticeState.DEFERRED, None
        second.next_attempt_at = now + 100 * DAY
        suppressing.suppress(silent[2].subscriber.address, SuppressionReason.BOUNCED, now=now)
    assert run(quarterly, now + DAY) == {"not_reached": 1}
    assert run(quarterly, now + 14 * DAY) == {"not_reached": 1}
    assert run(quarterly, now + 60 * DAY) == {}
    assert (active(), states()) == (3, [RenewalState.ENDED, RenewalState.ASKED, RenewalState.ENDED])
    assert third.state is NoticeState.ACCEPTED


def test_a_public_task_asks_and_keeps_the_silent(
    quarterly: MailingList, silent: list[Subscription], decided: None, relay: MemoryRelay, now: datetime
) -> None:
    with transaction():
        quarterly.lawful_basis = LawfulBasis.PUBLIC_TASK
    for days in (0, 14):
        run(quarterly, now + days * DAY)
    assert run(quarterly, now + 30 * DAY) == {"unanswered": 3}
    assert (active(), states()) == (3, [RenewalState.UNANSWERED] * 3)
    assert "sent for your work" in " ".join(relay.accepted[0].message.decode().replace("=\r\n", "").split())
    assert run(quarterly, now + 31 * DAY) == {}
    assert run(quarterly, now + 2 * YEAR + 2 * DAY) == {"asked": 3}


def test_a_large_list_is_asked_a_little_at_a_time(
    quarterly: MailingList, decided: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.subscribers(now - 3 * YEAR, quarterly, 24)
    monkeypatch.setattr(renewal_rules, "AT_LEAST", 3)
    monkeypatch.setattr(renewal_rules, "SHARE", 4)
    monkeypatch.setattr(renewal_rules, "MOST_A_RUN", 4)
    monkeypatch.setattr(renewing, "_BATCH", 3)
    assert renewal_rules.outlook(quarterly, now).soon == 24
    assert [run(quarterly, now + hours * HOUR) for hours in range(3)] == [{"asked": 4}, {"asked": 2}, {}]
    assert run(quarterly, now + DAY + HOUR)["asked"] == 4
    urgent = db.session.scalars(select(Notice.priority)).all()
    assert set(urgent) == {9}


def test_two_runs_at_the_same_moment_ask_each_once(
    app: Flask, quarterly: MailingList, decided: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.subscribers(now - 3 * YEAR, quarterly, 60)
    monkeypatch.setattr(renewing, "_BATCH", 7)
    number, begin, asked = quarterly.id, threading.Barrier(2), list[int]()

    def worker() -> None:
        with app.app_context():
            begin.wait()
            asked.append(renewing.run(number, now)["asked"])
            db.session.remove()

    db.session.remove()
    workers = [threading.Thread(target=worker) for _number in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    # Fifty a day: neither is asked twice, nor do two count the same day's share for themselves.
    assert sum(asked) == 50
    assert db.session.scalar(select(func.count(func.distinct(Notice.address_key)))) == 50
    assert db.session.scalar(select(func.count(Notice.id))) == 50


def test_who_paused_or_left_is_let_be(
    quarterly: MailingList, silent: list[Subscription], decided: None, now: datetime
) -> None:
    with transaction():
        silent[0].paused_until = now + 20 * DAY
    assert run(quarterly, now) == {"asked": 2}
    with transaction():
        leaving.unsubscribe(silent[1], route="link", now=now + DAY)
    assert run(quarterly, now + 2 * DAY) == {"left_otherwise": 1}
    assert run(quarterly, now + 21 * DAY) == {"reminded": 1, "asked": 1}
    assert [one.route for one in db.session.scalars(select(Consent))] == ["link"]


def test_what_may_be_decided(quarterly: MailingList, miriam: Account, now: datetime) -> None:
    for months, why, sentence in (
        (0, " ", "Say why people are kept"),
        (5, "", "from 6 to 60"),
        (61, "", "from 6 to 60"),
    ):
        with pytest.raises(Invalid) as refused, transaction():
            renewal_rules.decide(quarterly, months, why, actor=miriam, now=now)
        assert sentence in str(refused.value.problems[0].sentence)
    ewan = people.staff(now, "Ewan Marsh", Role.EDITOR)
    with pytest.raises(NotAllowed), transaction():
        renewal_rules.decide(quarterly, 24, "", actor=ewan, now=now)
    march = datetime(2026, 3, 31, tzinfo=now.tzinfo)
    assert renewal_rules.months_before(march, 1).day == 28
    assert renewal_rules.months_before(march, 24) == march.replace(year=2024)
