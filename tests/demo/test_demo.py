"""The demo can be tried in any quarter of any year, and everything in it is as true as in earnest."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.delivery import launch
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.demo import words
from newsletter.demo.quarters import Quarter
from newsletter.demo.readers import readers
from newsletter.demo.seed import seed_demo
from newsletter.demo.shifting import Shift
from newsletter.domain.calls.deadline import reading
from newsletter.domain.calls.decisions import triage
from newsletter.domain.calls.partners import agencies
from newsletter.domain.calls.reminding import extending
from newsletter.domain.calls.rhythm import cadence
from newsletter.domain.calls.rhythm.cadence import Rhythm
from newsletter.domain.issues import approving, checking, scheduling, testing
from newsletter.domain.issues.content import render_issue
from newsletter.domain.staff.accounts import find_account
from newsletter.mail.memory import MemoryRelay
from newsletter.models import (
    Account,
    Activity,
    BlockRevision,
    Consent,
    Contribution,
    Issue,
    Notice,
    Organisation,
    Rendition,
    Subscriber,
    Subscription,
)
from newsletter.states import DeliveryState, ExtensionState, IssueState, NoticeState, SubscriptionState

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)


def issues() -> dict[IssueState, list[Issue]]:
    found: dict[IssueState, list[Issue]] = {}
    for issue in db.session.scalars(select(Issue).order_by(Issue.id)):
        found.setdefault(issue.state, []).append(issue)
    return found


def number(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_the_demo_stands_in_the_middle_of_its_quarter(app: Flask) -> None:
    assert seed_demo(NOW, subscribers=100)

    found = issues()
    assert [issue.title for issue in found[IssueState.SENT]][:2] == ["June 2026", "September 2026"]
    assert [issue.title for issue in found[IssueState.DRAFT]] == ["December 2026", "March 2027"]
    assert [issue.slug for issue in reading.open_calls(NOW)] == ["march-2027"]
    december, march = found[IssueState.DRAFT]
    assert december.next_issue == march
    assert (cadence.rhythm_of(march.mailing_list) or Rhythm("", "")).deadline_rule.endswith("BYDAY=3FR")
    assert [one.name for one in agencies.agencies_of(march.mailing_list)] == sorted(words.PARTNERS)
    assert {one.state for one in extending.extensions_of(december)} == {ExtensionState.ASKED}
    assert march.deadline is not None
    assert march.deadline.words == "5pm, Friday 15 January 2027"
    assert len(reading.undecided(december)) == 2
    assert len(reading.late(december)) == 1
    assert sorted(account.name for account in db.session.scalars(select(Account))) == [
        "Ada Lindqvist", "Ewan Marsh", "Ruth Adeyemi", "Tamsin Orme",
    ]  # fmt: skip
    organisation = db.session.get_one(Organisation, 1)
    assert organisation.demo


def test_its_accounts_add_up_and_its_approvals_hold(app: Flask) -> None:
    seed_demo(NOW, subscribers=100)

    sent = issues()[IssueState.SENT]
    for issue in sent:
        assert accounts.verify(issue) == []
        assert accounts.counts(issue).accepted > 0
        assert accounts.counts(issue).done == issue.recipients
        approval = approving.current_approval(issue)
        assert approval is not None
        rendition = db.session.get_one(Rendition, approval.rendition_id)
        assert approving.is_current(issue, rendition, NOW)
    assert accounts.counts(sent[1]).as_dict() == {
        DeliveryState.QUEUED: 0, DeliveryState.CLAIMED: 0, DeliveryState.ACCEPTED: 92, DeliveryState.DEFERRED: 0,
        DeliveryState.REFUSED: 3, DeliveryState.UNSURE: 1, DeliveryState.SKIPPED: 4,
    }  # fmt: skip


def test_each_subscription_has_its_evidence(app: Flask) -> None:
    seed_demo(NOW, subscribers=100)

    active = select(func.count()).where(Subscription.state == SubscriptionState.ACTIVE, Subscription.list_id == 1)
    assert db.session.scalar(active) == 100
    without = select(func.count()).where(Subscription.id.not_in(select(Consent.subscription_id)))
    assert db.session.scalar(without) == 0
    outside = select(func.count()).where(Subscriber.address.not_like("%example.org"))
    assert db.session.scalar(outside) == 0


def test_nothing_in_it_is_of_the_future(app: Flask) -> None:
    seed_demo(NOW, subscribers=60)

    for column in (
        Activity.at, BlockRevision.at, Consent.at, Contribution.created_at, Issue.created_at, Issue.sent_at,
        Notice.created_at, Rendition.created_at, Subscription.joined_at, Account.created_at,
    ):  # fmt: skip
        latest = db.session.scalar(select(func.max(column)))
        assert latest is not None
        assert latest <= NOW, column


def test_only_what_is_new_is_still_to_be_mailed(app: Flask) -> None:
    seed_demo(NOW, subscribers=60)

    waiting = db.session.scalars(select(Notice.template).where(Notice.state == NoticeState.QUEUED)).all()
    invited = ["call_invitation"] * 8
    assert sorted(waiting) == [*invited, "contribution_accepted", "contribution_declined", "contribution_receipt"]


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 12, 10, 10, tzinfo=UTC),
        datetime(2027, 3, 27, 23, 59, tzinfo=UTC),
        datetime(2028, 2, 29, 12, tzinfo=UTC),
        datetime(2031, 8, 31, tzinfo=UTC),
    ],
)
def test_in_any_quarter_its_issue_could_go_out(app: Flask, now: datetime) -> None:
    seed_demo(now, subscribers=20)

    draft = issues()[IssueState.DRAFT][0]
    assert [finding.sentence for finding in checking.run_checks(draft, now) if finding.blocking] == []
    assert {obstacle.code for obstacle in scheduling.obstacles(draft, now)} == {
        "contributions_undecided", "test", "approval",
    }  # fmt: skip
    assert draft.title in render_issue(draft).text
    assert all(accounts.verify(issue) == [] for issue in issues()[IssueState.SENT])


def test_its_issue_can_be_taken_to_the_end(app: Flask, relay: MemoryRelay) -> None:
    seed_demo(NOW, subscribers=40)
    december = issues()[IssueState.DRAFT][0]
    ruth, ewan = (find_account(f"{name}@example.org") for name in ("ruth.adeyemi", "ewan.marsh"))
    first, second = reading.undecided(december)

    with transaction():
        triage.place(first, actor=ruth, now=NOW)
        triage.carry(second, december.next_issue, actor=ruth, now=NOW)
    prepared = approving.prepare(december, NOW)
    with transaction():
        testing.send_test(december, prepared, ["ruth.adeyemi@example.org"], actor=ruth, now=NOW)
        approving.approve(december, prepared, actor=ewan, now=NOW)
        scheduling.schedule(december, NOW, actor=ruth, now=NOW, immediately=True)
    launch.launch(december.id, NOW)
    engine.send_issue(december.id, read_clock=lambda: NOW, relay=relay)

    db.session.expire_all()
    assert december.state is IssueState.SENT
    assert accounts.verify(december) == []
    assert accounts.counts(december).accepted == len(relay.accepted) == december.recipients
    assert b"From Larkmere Police" in relay.accepted[0].message.replace(b"=\r\n", b"")


def test_a_second_time_changes_nothing(app: Flask) -> None:
    seed_demo(NOW, subscribers=20)
    before = number(Activity)

    assert not seed_demo(NOW + timedelta(days=100), subscribers=20)
    assert number(Activity) == before


def test_its_pages_can_be_read_by_anybody(app: Flask, client: FlaskClient) -> None:
    seed_demo(NOW, subscribers=20)

    for path in ("/", "/news", "/news/september-2026", "/contribute", "/contribute/march-2027", "/subscribe"):
        assert client.get(path).status_code == 200, path
    assert client.get("/news/december-2026").status_code == 404


def test_no_reader_comes_twice() -> None:
    many = readers(1500)

    assert len({one.address for one in many}) == 1500
    assert many[:10] == readers(10)


@pytest.mark.parametrize(
    ("now", "title", "goes_out", "deadline"),
    [
        ("2026-11-22T15:00+00:00", "December 2026", "2026-12-10T10:00+00:00", "5pm, Friday 16 October 2026"),
        ("2026-12-10T09:59+00:00", "December 2026", "2026-12-10T10:00+00:00", "5pm, Friday 16 October 2026"),
        ("2026-12-10T10:00+00:00", "March 2027", "2027-03-11T10:00+00:00", "5pm, Friday 15 January 2027"),
        ("2027-04-01T00:00+00:00", "June 2027", "2027-06-10T09:00+00:00", "5pm, Friday 16 April 2027"),
    ],
)
def test_quarters_follow_the_rule(now: str, title: str, goes_out: str, deadline: str) -> None:
    quarter = Quarter.next_after(datetime.fromisoformat(now))

    assert quarter.title == title
    assert quarter.goes_out == datetime.fromisoformat(goes_out)
    assert quarter.deadline.words == deadline


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        ("from 4 January", "from 5 April"),
        ("<p>on 9 March 2027.</p>", "<p>on 8 June 2027.</p>"),
        ("Records read 12 to 16 October 2026", "Records read 11 to 15 January 2027"),
        ("28 to 31 December", "29 March to 1 April"),
        ("January to March 2027", "April to June 2027"),
        ("the March issue", "the June issue"),
        ("the guide of 2022", "the guide of 2022"),
        ("they may come", "they may come"),
        ("2027-01-04", "2027-04-05"),
        ("2027-01-19T17:00", "2027-04-20T17:00"),
        ("2027-11", "2028-02"),
    ],
)
def test_dates_in_words_move_with_their_issue(words: str, moved: str) -> None:
    assert Shift(date(2026, 12, 10), date(2027, 3, 11))({"heading": words}) == {"heading": moved}


def test_words_stay_where_they_were_written_and_addresses_stay_anywhere() -> None:
    data = {"body": "<p>4 January</p>", "items": [{"url": "https://example.org/2027/4 January"}]}

    assert Shift(date(2026, 12, 10), date(2026, 12, 10))(data) == data
    assert Shift(date(2026, 12, 10), date(2027, 12, 9))(data)["items"] == data["items"]
    assert Shift(date(2026, 12, 10), date(2028, 12, 14))({"heading": "2027 to 2029"}) == {"heading": "2029 to 2031"}
