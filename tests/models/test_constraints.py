"""What the tables themselves do not allow, whoever writes to them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import bindparam, text
from sqlalchemy.exc import IntegrityError, StatementError

from newsletter.db import UTCDateTime, db, on_commit, transaction
from newsletter.models import (
    Contribution,
    Delivery,
    Issue,
    MailingList,
    Membership,
    Organisation,
    Suppression,
)
from newsletter.states import (
    ContributionState,
    DeliveryState,
    IssueState,
    Role,
    SkipReason,
    SubscriptionState,
    SuppressionReason,
)
from tests import people


def refused(rule: str) -> "pytest.RaisesExc[IntegrityError]":
    return pytest.raises(IntegrityError, match=rule)


def test_a_call_without_a_deadline_cannot_be_stored(app: Flask, now: datetime) -> None:
    issue = people.issue(now, people.larkmere(now))
    with refused("call_has_deadline|deadline_whole"), transaction():
        issue.deadline_at = None
    with refused("call_has_deadline"), transaction():
        issue.deadline = None


def test_an_issue_that_began_has_its_start_and_its_rendition(app: Flask, now: datetime) -> None:
    issue = people.issue(now, people.larkmere(now))
    with refused("started_at_if_started"), transaction():
        issue.state = IssueState.SENDING
    with refused("scheduled_at_if_scheduled"), transaction():
        issue.state = IssueState.SCHEDULED
    with refused("sent_at_if_sent"), transaction():
        issue.sent_at = now


def test_one_person_is_in_the_ledger_of_an_issue_once(app: Flask, now: datetime) -> None:
    mailing_list = people.larkmere(now)
    issue = people.issue(now, mailing_list)
    [reader] = people.subscribers(now, mailing_list, 1)
    with transaction() as session:
        session.add(Delivery(issue_id=issue.id, subscription_id=reader.id, updated_at=now))
    with refused("delivery"), transaction() as session:
        session.add(Delivery(issue_id=issue.id, subscription_id=reader.id, updated_at=now))


@pytest.mark.parametrize(
    ("state", "columns", "rule"),
    [
        (DeliveryState.CLAIMED, {}, "owner_if_claimed"),
        (DeliveryState.DEFERRED, {}, "retry_at_if_deferred"),
        (DeliveryState.SKIPPED, {}, "reason_if_skipped"),
        (DeliveryState.ACCEPTED, {"skip_reason": SkipReason.LEFT}, "reason_if_skipped"),
    ],
)
def test_a_delivery_says_what_its_state_needs(
    app: Flask, now: datetime, state: DeliveryState, columns: dict[str, SkipReason], rule: str
) -> None:
    mailing_list = people.larkmere(now)
    issue = people.issue(now, mailing_list)
    [reader] = people.subscribers(now, mailing_list, 1)
    with refused(rule), transaction() as session:
        session.add(Delivery(issue_id=issue.id, subscription_id=reader.id, state=state, updated_at=now, **columns))


def test_a_subscription_that_ended_says_when_and_an_active_one_has_a_person(app: Flask, now: datetime) -> None:
    [reader] = people.subscribers(now, people.larkmere(now), 1)
    with refused("left_at_if_left"), transaction():
        reader.state = SubscriptionState.LEFT
    with refused("active_has_subscriber"), transaction():
        reader.subscriber_id = None


def test_a_role_on_all_lists_is_held_once(app: Flask, now: datetime) -> None:
    ruth = people.staff(now, role=Role.EDITOR)
    with refused("membership"), transaction() as session:
        session.add(Membership(account_id=ruth.id, list_id=None, role=Role.ADMIN, created_at=now))


def test_a_suppression_is_lifted_only_with_a_reason(app: Flask, now: datetime) -> None:
    with refused("reason_if_lifted"), transaction() as session:
        session.add(Suppression(address_hash=b"x" * 32, reason=SuppressionReason.STAFF, at=now, lifted_at=now))


def test_there_is_one_organisation(app: Flask, now: datetime) -> None:
    people.larkmere(now)
    with refused("one_row|organisation"), transaction() as session:
        session.add(Organisation(id=2, name="Another", email="x@example.org", created_at=now))


def test_a_contribution_in_grace_is_not_late(app: Flask, now: datetime) -> None:
    issue = people.issue(now, people.larkmere(now))
    with refused("grace_is_not_late"), transaction() as session:
        session.add(
            Contribution(
                reference="LARK-1",
                issue_id=issue.id,
                state=ContributionState.SUBMITTED,
                title="News",
                body="<p>News.</p>",
                contact_address="sam@example.org",
                late=True,
                in_grace=True,
                opened_at=now,
                created_at=now,
                submitted_at=now,
            )
        )


def test_an_instant_comes_back_as_it_went_in_to_the_microsecond_and_in_utc(app: Flask, now: datetime) -> None:
    mailing_list = people.larkmere(now)
    odd = datetime(2027, 7, 1, 10, 42, 7, 123457, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with transaction():
        mailing_list.created_at = odd
    found = db.session.get(MailingList, mailing_list.id)
    assert found is not None
    assert found.created_at == odd
    assert found.created_at.tzinfo is UTC


def test_a_time_without_a_zone_is_not_stored(app: Flask, now: datetime) -> None:
    mailing_list = people.larkmere(now)
    with pytest.raises(StatementError, match="needs a time zone"), transaction():
        mailing_list.created_at = datetime(2027, 1, 1)


def test_raw_sql_and_the_orm_mean_the_same_instant(app: Flask, now: datetime) -> None:
    people.larkmere(now)
    statement = text("SELECT count(*) FROM mailing_list WHERE created_at = :at").bindparams(
        bindparam("at", now, type_=UTCDateTime)
    )
    assert db.session.execute(statement).scalar() == 1


def test_nothing_is_written_when_anything_is_raised_and_no_bell_rings(app: Flask, now: datetime) -> None:
    rung: list[str] = []
    with pytest.raises(RuntimeError, match="stop"), transaction() as session:
        session.add(Organisation(name="Half", email="x@example.org", created_at=now))
        session.flush()
        on_commit(lambda: rung.append("half"))
        raise RuntimeError("stop")
    assert db.session.query(Organisation).count() == 0
    assert rung == []
    with transaction():
        on_commit(lambda: rung.append("whole"))
        assert rung == []
    assert rung == ["whole"]


def test_a_verb_that_opens_a_transaction_of_its_own_is_found_out(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="does not nest"), transaction(), transaction():
        pass
    with pytest.raises(RuntimeError, match="needs a running transaction"):
        on_commit(lambda: None)


@pytest.mark.both_databases
def test_only_what_may_be_lost_with_the_power_is_not_waited_for(app: Flask) -> None:
    """By every connection, whichever wrote what before: one that counted limits is the next to keep a consent."""
    asks = text("PRAGMA synchronous" if db.engine.dialect.name == "sqlite" else "SHOW synchronous_commit")

    def kept(*, lasting: bool) -> str:
        with transaction(lasting=lasting) as session:
            return str(session.scalar(asks))

    full, passing = ("2", "1") if db.engine.dialect.name == "sqlite" else ("on", "off")
    assert [kept(lasting=one) for one in (True, False, False, True, False, True)] == [
        *(full, passing, passing, full, passing, full)
    ]
    with pytest.raises(RuntimeError, match="stop"), transaction(lasting=False) as session:
        session.scalar(asks)
        raise RuntimeError("stop")
    assert kept(lasting=True) == full


def test_what_was_read_before_is_read_again_before_it_is_decided_on(app: Flask, now: datetime) -> None:
    issue = people.issue(now, people.larkmere(now))
    assert issue.title == "December 2026"
    with db.engine.connect() as somebody_else:
        somebody_else.execute(text("UPDATE issue SET title = 'Winter 2026'"))
        somebody_else.commit()
    with transaction():
        assert issue.title == "Winter 2026"


def test_forty_writers_at_once_all_get_their_turn(app: Flask, now: datetime) -> None:
    import threading

    mailing_list = people.larkmere(now)
    list_id = mailing_list.id
    db.session.remove()
    errors: list[BaseException] = []

    def write() -> None:
        with app.app_context():
            try:
                for _ in range(5):
                    with transaction() as session:
                        row = session.get(Issue, 1) or session.get(MailingList, list_id)
                        assert isinstance(row, MailingList)
                        row.strapline = str(int(row.strapline) + 1) if row.strapline.isdecimal() else "1"
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    counted = db.session.get(MailingList, list_id)
    assert counted is not None
    assert counted.strapline == "40"
