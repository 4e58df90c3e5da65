"""Dates: in words with the weekday, and as the instants that people mean."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import dates
from newsletter.deadlines import Deadline

LONDON = "Europe/London"


def test_one_deadline_in_summer_and_one_in_winter_name_different_hours_of_utc() -> None:
    assert dates.to_instant(date(2017, 7, 3), time(17), LONDON) == datetime(2017, 7, 3, 16, tzinfo=UTC)
    assert dates.to_instant(date(2018, 1, 19), time(17), LONDON) == datetime(2018, 1, 19, 17, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="1:30am on Sunday 28 March 2027 does not exist: the clocks go forward then"):
        dates.to_instant(date(2027, 3, 28), time(1, 30), LONDON)


def test_a_time_that_comes_twice_is_the_later_for_a_deadline_and_can_be_asked_about() -> None:
    day = date(2027, 10, 31)
    assert dates.is_ambiguous(day, time(1, 30), LONDON)
    assert not dates.is_ambiguous(day, time(3), LONDON)
    assert not dates.is_ambiguous(date(2027, 3, 28), time(1, 30), LONDON)
    assert dates.to_instant(day, time(1, 30), LONDON, dates.Fold.EARLIER) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert dates.to_instant(day, time(1, 30), LONDON) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_an_instant_read_locally_and_back_is_the_same_instant(instant: datetime) -> None:
    wall = dates.local(instant, LONDON)
    fold = dates.Fold(wall.fold)
    assert dates.to_instant(wall.date(), wall.time(), LONDON, fold) == instant


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2018, 1, 19, 17), "5pm, Friday 19 January 2018"),
        (datetime(2018, 1, 19, 10, 42), "10:42am, Friday 19 January 2018"),
        (datetime(2018, 1, 19, 12), "noon, Friday 19 January 2018"),
        (datetime(2018, 1, 19, 0, 5), "12:05am, Friday 19 January 2018"),
        (datetime(2018, 1, 19, 23, 59), "11:59pm, Friday 19 January 2018"),
    ],
)
def test_a_moment_is_printed_with_time_weekday_and_year(value: datetime, words: str) -> None:
    assert dates.moment(value) == words


def test_an_instant_needs_a_zone_to_be_printed_in() -> None:
    instant = datetime(2017, 7, 3, 16, tzinfo=UTC)
    assert dates.moment(instant, LONDON) == "5pm, Monday 3 July 2017"
    with pytest.raises(ValueError, match="needs a time zone"):
        dates.moment(instant)


def test_spans_months_and_short_days() -> None:
    start = datetime(2027, 1, 26, 9, 30)
    assert dates.span(start, start + timedelta(hours=3)) == "9:30am to 12:30pm, Tuesday 26 January 2027"
    assert dates.span(start, start + timedelta(days=1)).startswith("9:30am, Tuesday 26 January 2027 to 9:30am, Wed")
    assert dates.month(date(2027, 5, 1)) == "May 2027"
    assert dates.short_day(date(2027, 1, 26)) == "Tue 26 Jan 2027"
    assert dates.short_day(date(2027, 1, 26), year=False) == "Tue 26 Jan"
    assert dates.zone_words(LONDON) == "UK time"
    assert dates.zone_words("America/New_York") == "New York time"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (10, "less than a minute"),
        (60, "about 1 minute"),
        (290, "about 5 minutes"),
        (3600, "about 1 hour"),
        (7300, "about 2 hours"),
        (200_000, "about 2 days"),
    ],
)
def test_lengths_of_time_are_rounded_to_what_a_person_would_say(seconds: float, words: str) -> None:
    assert dates.in_words(seconds) == words


# The deadline of a call: 5pm, Friday 19 January 2018.
CALL = Deadline.of(date(2018, 1, 19), time(17), LONDON)
FIVE = datetime(2018, 1, 19, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds_after_five", "is_open"), [(-1, True), (0, True), (30, True), (59.999999, True), (60, False), (61, False)]
)
def test_a_call_closes_at_the_end_of_the_named_minute(seconds_after_five: float, is_open: bool) -> None:
    assert CALL.is_open(FIVE + timedelta(seconds=seconds_after_five)) is is_open


@pytest.mark.parametrize(
    ("opened", "posted", "accepted", "in_grace"),
    [
        (-120, -60, True, False),  # opened and posted before
        (-120, 540, True, True),  # opened at 4:58, posted at 5:09
        (59, 959.999, True, True),  # opened in the last second, posted in the last of the grace
        (59, 960, False, False),  # a moment later
        (60, 61, False, False),  # opened when it was closed
        (-3600, 3600, False, False),  # opened in time, posted an hour late
    ],
)
def test_a_form_opened_in_time_may_be_posted_for_fifteen_minutes(
    opened: float, posted: float, accepted: bool, in_grace: bool
) -> None:
    opened_at, now = FIVE + timedelta(seconds=opened), FIVE + timedelta(seconds=posted)
    assert CALL.accepts(now, opened_at) is accepted
    assert CALL.is_in_grace(now, opened_at) is in_grace


def test_a_deadline_is_printed_as_people_were_told_it() -> None:
    assert CALL.words == "5pm, Friday 19 January 2018"
    assert CALL.words_with_zone == "5pm, Friday 19 January 2018 (UK time)"
