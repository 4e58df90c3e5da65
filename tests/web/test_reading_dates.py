"""What people type for a date, and what they are told."""

from datetime import UTC, date, datetime, time

import pytest

from newsletter import dates
from newsletter.web.reading_dates import (
    Unreadable,
    choose,
    read_day,
    read_moment,
    read_time,
    remark,
    to_stored,
)

LONDON = "Europe/London"


@pytest.mark.parametrize(
    "typed",
    ["19 January 2018", "Friday 19 January 2018", "fri 19th Jan 2018", "19/1/2018", "19.01.2018", "2018-01-19",
     " the 19th of January, 2018. "],
)  # fmt: skip
def test_a_day_in_many_spellings(typed: str) -> None:
    assert read_day(typed) == date(2018, 1, 19)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("Monday 19 January 2018", "That day is a Friday. Check the date"),
        ("31 February 2027", "There is no such day. Enter a date, such as 15 January 2027"),
        ("next Tuesday", "Enter a date, such as 15 January 2027"),
        ("19 Janvier 2018", "There is no such day. Enter a date, such as 15 January 2027"),
        ("", "Enter a date, such as 15 January 2027"),
    ],
)
def test_a_day_that_cannot_be_read(typed: str, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        read_day(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("5pm", time(17)), ("5.30 pm", time(17, 30)), ("17:00", time(17)), ("noon", time(12)), ("12am", time(0)),
     ("12 p.m.", time(12)), ("09:05", time(9, 5)), ("10:42am", time(10, 42))],
)  # fmt: skip
def test_a_time(typed: str, meant: time) -> None:
    assert read_time(typed) == meant


@pytest.mark.parametrize("typed", ["5", "25:00", "13pm", "5:75pm", "teatime", "midnight", ""])
def test_a_time_that_cannot_be_read(typed: str) -> None:
    with pytest.raises(Unreadable):
        read_time(typed)


@pytest.mark.parametrize(
    "typed",
    ["5pm, Friday 19 January 2018", "5pm on 19 January 2018", "19 January 2018, 5pm", "19 January 2018 at 17:00",
     "2018-01-19T17:00", "2018-01-19 17:00:00", "17:00 19/01/2018", "5pm, Friday 19 January 2018 (UK time)"],
)  # fmt: skip
def test_a_moment(typed: str) -> None:
    assert read_moment(typed) == datetime(2018, 1, 19, 17)


def test_a_moment_without_its_time_is_asked_for() -> None:
    with pytest.raises(Unreadable, match="Enter the time as well"):
        read_moment("19 January 2018")


def test_what_a_block_stores() -> None:
    assert to_stored("19 January 2018") == "2018-01-19"
    assert to_stored("May 2027", month_allowed=True) == "2027-05"
    assert to_stored("2027-05", month_allowed=True) == "2027-05"
    assert to_stored("5pm, 19 January 2018", timed=True) == "2018-01-19T17:00"
    assert to_stored("to be agreed") == "to be agreed"


def test_the_two_deadlines_of_winter_and_summer_time() -> None:
    winter = choose(date(2018, 1, 19), time(17), LONDON, None)
    summer = choose(date(2017, 7, 3), time(17), LONDON, None)
    assert winter and winter.instant == datetime(2018, 1, 19, 17, tzinfo=UTC)
    assert summer and summer.instant == datetime(2017, 7, 3, 16, tzinfo=UTC)


def test_a_time_that_comes_twice_is_asked_about() -> None:
    day, at = date(2017, 10, 29), time(1, 30)
    assert choose(day, at, LONDON, None) is None
    first, second = choose(day, at, LONDON, dates.Fold.EARLIER), choose(day, at, LONDON, dates.Fold.LATER)
    assert first and second
    assert (first.instant.hour, second.instant.hour) == (0, 1)


def test_a_time_that_the_clocks_skip_is_refused_in_words() -> None:
    with pytest.raises(Unreadable, match="the clocks go forward then"):
        choose(date(2017, 3, 26), time(1, 30), LONDON, None)


def test_a_weekend_and_the_past_are_remarked_on(now: datetime) -> None:
    sunday = choose(date(2027, 7, 4), time(17), LONDON, None)
    past = choose(date(2026, 12, 4), time(17), LONDON, None)
    friday = choose(date(2027, 1, 15), time(17), LONDON, None)
    assert sunday and past and friday
    assert remark("The deadline", sunday, now) == ("The deadline is on a Sunday: 5pm, Sunday 4 July 2027 (UK time).")
    assert remark("The deadline", past, now).startswith("The deadline is in the past")
    assert remark("The deadline", friday, now) == ""
    boxing_day = choose(date(2026, 12, 28), time(17), "Europe/London", None)
    assert boxing_day is not None
    assert remark("The deadline", boxing_day, now).startswith("The deadline is on a bank holiday (")
    assert remark("The deadline", boxing_day, now, "") == ""
