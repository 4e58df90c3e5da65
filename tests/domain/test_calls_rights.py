"""Who may hand in now: the call's deadline, its grace, more time of one's own. The longest right wins."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.calls.deadline import rights
from newsletter.domain.calls.deadline.rights import Arrival
from newsletter.models import Agency, Contribution, Contributor, Extension, Issue
from newsletter.states import ContributionState, ExtensionState, IssueState
from tests import people

CALL = datetime(2026, 12, 11, 17, 0, tzinfo=UTC)
MONDAY_NOON = Deadline.of(date(2026, 12, 14), time(12), "Europe/London")


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    """Its deadline is 5pm, Friday 11 December 2026."""
    return people.issue(now, people.larkmere(now))


@pytest.fixture
def police(december: Issue, now: datetime) -> Agency:
    with transaction() as session:
        agency = Agency(name="Larkmere Police", name_key="larkmere police", created_at=now)
        session.add(agency)
    return agency


@pytest.fixture
def sam(police: Agency, now: datetime) -> Contributor:
    return contributor("sam@police.example.org", police, now)


def contributor(address: str, agency: Agency | None, now: datetime) -> Contributor:
    with transaction() as session:
        made = Contributor(
            address=address, address_key=address, name=address.split("@")[0].title(), created_at=now,
            agency_id=agency.id if agency else None, approved_at=now, proved_at=now,
        )  # fmt: skip
        session.add(made)
    return made


def extension(issue: Issue, until: Deadline = MONDAY_NOON, **values: object) -> Extension:
    with transaction() as session:
        made = Extension(issue_id=issue.id, **{"state": ExtensionState.GRANTED, **values})
        made.deadline = until
        session.add(made)
    return made


def contribution(issue: Issue, now: datetime, **values: object) -> Contribution:
    with transaction() as session:
        made = Contribution(
            **{
                "reference": "K7M3-9QXT", "issue_id": issue.id, "state": ContributionState.DRAFT, "title": "One number",
                "body": "From Monday.", "contact_address": "sam@police.example.org", "opened_at": now,
                "created_at": now, **values,
            }
        )  # fmt: skip
        session.add(made)
    return made


SECONDS = st.integers(min_value=-7_200, max_value=7_200).map(lambda number: timedelta(seconds=number))


@given(opened=SECONDS, posted=SECONDS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_without_more_time_the_minute_and_its_grace_decide(
    december: Issue, opened: timedelta, posted: timedelta
) -> None:
    found = rights.right(december, CALL + posted, CALL + opened)

    end_of_minute, end_of_grace = timedelta(seconds=60), timedelta(minutes=16)
    if posted < end_of_minute:
        assert found.arrival is Arrival.IN_TIME
    elif posted < end_of_grace and opened < end_of_minute:
        assert found.arrival is Arrival.IN_GRACE
    else:
        assert found.arrival is Arrival.LATE
    assert found.until == december.deadline
    assert found.counts is (found.arrival is not Arrival.LATE)


@given(opened=SECONDS, posted=SECONDS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_more_time_obeys_the_same_rules_at_its_own_end(
    december: Issue, sam: Contributor, opened: timedelta, posted: timedelta
) -> None:
    if not db.session.query(Extension).count():
        extension(december, contributor_id=sam.id)
    end = MONDAY_NOON.instant

    found = rights.right(december, end + posted, end + opened, contributor=sam)

    counts = posted < timedelta(seconds=60) or (
        posted < timedelta(minutes=16) and opened < timedelta(seconds=60) and opened <= posted
    )
    assert found.arrival is (Arrival.EXTENSION if counts else Arrival.LATE)
    assert found.until == MONDAY_NOON


def test_a_token_from_a_fast_clock_proves_nothing(december: Issue) -> None:
    late = CALL + timedelta(minutes=5)

    assert rights.right(december, late, late + timedelta(days=1)).arrival is Arrival.LATE


def test_summer_time_closes_an_hour_earlier_by_the_servers_clock(december: Issue) -> None:
    with transaction():
        december.deadline = Deadline.of(date(2017, 7, 3), time(17), "Europe/London")

    def arrival(clock: str) -> Arrival:
        then = datetime.fromisoformat(f"2017-07-03T{clock}+00:00")
        return rights.right(december, then, then).arrival

    assert (arrival("16:00:59"), arrival("16:01:00")) == (Arrival.IN_TIME, Arrival.LATE)


@pytest.mark.parametrize("state", [IssueState.SENDING, IssueState.PAUSED, IssueState.SENT, IssueState.CANCELLED])
def test_an_issue_on_its_way_or_given_up_takes_nothing(
    december: Issue, sam: Contributor, now: datetime, state: IssueState
) -> None:
    extension(december, contributor_id=sam.id)
    # Only read: a row in this state would need much that this test is not about.
    with db.session.no_autoflush:
        december.state = state
        found = rights.right(december, now, now, contributor=sam)
        db.session.expire(december)

    assert found == rights.Right(Arrival.LATE)


def test_the_calls_own_time_comes_first_and_the_longest_end_is_told(
    december: Issue, sam: Contributor, now: datetime
) -> None:
    extension(december, contributor_id=sam.id)

    before = rights.right(december, now, now, contributor=sam)
    grace = rights.right(december, CALL + timedelta(minutes=9), CALL - timedelta(minutes=2), contributor=sam)

    assert (before.arrival, before.extension, before.until) == (Arrival.IN_TIME, None, MONDAY_NOON)
    assert (grace.arrival, grace.extension, grace.until) == (Arrival.IN_GRACE, None, MONDAY_NOON)


def test_the_longest_of_several_is_used(december: Issue, sam: Contributor, police: Agency) -> None:
    extension(december, contributor_id=sam.id)
    longest = extension(december, Deadline.of(date(2026, 12, 15), time(17), "Europe/London"), agency_id=police.id)
    saturday = CALL + timedelta(days=1)

    found = rights.right(december, saturday, saturday, contributor=sam)

    assert found.extension == longest
    assert found.until == longest.deadline


@pytest.mark.parametrize(
    "state", [ExtensionState.ASKED, ExtensionState.REFUSED, ExtensionState.REVOKED, ExtensionState.USED]
)
def test_only_what_was_granted_counts(december: Issue, sam: Contributor, state: ExtensionState) -> None:
    extension(december, contributor_id=sam.id, state=state)
    saturday = CALL + timedelta(days=1)

    assert rights.right(december, saturday, saturday, contributor=sam).arrival is Arrival.LATE


def test_it_holds_for_nobody_else_no_other_issue_and_nobody_who_has_left(
    december: Issue, sam: Contributor, police: Agency, now: datetime
) -> None:
    extension(december, contributor_id=sam.id)
    extension(december, agency_id=police.id)
    nadia = contributor("nadia@health.example.org", None, now)
    march = people.issue(now, december.mailing_list, "March 2027", "march-2027")
    saturday = CALL + timedelta(days=1)

    assert not rights.right(december, saturday, saturday).counts
    assert not rights.right(december, saturday, saturday, contributor=nadia).counts
    assert not rights.right(march, saturday, saturday, contributor=sam).counts
    assert rights.right(december, saturday, saturday, contributor=sam).counts
    with transaction():
        sam.ended_at = now
    assert not rights.right(december, saturday, saturday, contributor=sam).counts


def test_it_is_used_up_by_handing_in_and_holds_for_changing_what_was_handed_in(
    december: Issue, sam: Contributor
) -> None:
    given_time = extension(december, contributor_id=sam.id)
    saturday = CALL + timedelta(days=1)
    first = contribution(december, saturday, contributor_id=sam.id)

    with transaction():
        found = rights.right(december, saturday, saturday, contributor=sam, contribution=first)
        first.state, first.submitted_at = ContributionState.SUBMITTED, saturday
        rights.spend(found, first, saturday)

    assert given_time.state is ExtensionState.USED
    assert first.edit_until == MONDAY_NOON.instant
    sunday = saturday + timedelta(days=1)
    assert not rights.right(december, sunday, sunday, contributor=sam).counts
    assert rights.right(december, sunday, sunday, contributor=sam, contribution=first).counts
    assert rights.extension_of(first) == given_time
    after = MONDAY_NOON.closes_at
    assert not rights.right(december, after, after, contributor=sam, contribution=first).counts


def test_an_agencys_time_stays_until_its_end(december: Issue, sam: Contributor, police: Agency) -> None:
    given_time = extension(december, agency_id=police.id)
    saturday = CALL + timedelta(days=1)
    first = contribution(december, saturday, contributor_id=sam.id)

    with transaction():
        found = rights.right(december, saturday, saturday, contributor=sam)
        first.state, first.submitted_at = ContributionState.SUBMITTED, saturday
        rights.spend(found, first, saturday)

    assert given_time.state is ExtensionState.GRANTED
    assert rights.extension_of(first) == given_time
    assert rights.right(december, saturday, saturday, contributor=sam).counts


def test_time_for_one_contribution_is_for_that_one(december: Issue, sam: Contributor, now: datetime) -> None:
    asked = contribution(december, now, state=ContributionState.CHANGES_REQUESTED, submitted_at=now)
    extension(december, contribution_id=asked.id, contributor_id=sam.id)
    saturday = CALL + timedelta(days=1)

    assert rights.right(december, saturday, saturday, contribution=asked).arrival is Arrival.EXTENSION
    assert not rights.right(december, saturday, saturday, contributor=sam).counts


def test_what_was_promised_outlives_a_deadline_that_is_brought_forward(december: Issue, now: datetime) -> None:
    kept = contribution(december, now, state=ContributionState.SUBMITTED, submitted_at=now)
    with transaction():
        rights.spend(rights.right(december, now, now), kept, now)
        december.deadline = Deadline.of(date(2026, 12, 8), time(17), "Europe/London")
    wednesday = datetime(2026, 12, 9, 12, tzinfo=UTC)

    assert rights.right(december, wednesday, wednesday, contribution=kept).arrival is Arrival.IN_TIME
    assert rights.right(december, wednesday, wednesday).arrival is Arrival.LATE
    assert rights.extension_of(kept) is None


def test_a_promise_is_for_what_was_handed_in_not_for_a_draft(december: Issue, now: datetime) -> None:
    draft = contribution(december, now, edit_until=MONDAY_NOON.instant)
    saturday = CALL + timedelta(days=1)

    assert not rights.right(december, saturday, saturday, contribution=draft).counts
