"""Deadlines and sending days in people's calendars: read by a library that did not write them, and moved."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
import vobject  # not the library that writes the files
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.calls.reminding import extending
from newsletter.domain.calls.rhythm import cadence, planning, replanning
from newsletter.domain.calls.rhythm.cadence import PRESETS
from newsletter.domain.issues import creating, scheduling
from newsletter.models import Issue, MailingList
from newsletter.web.contribute.calendar import personal_calendar_url
from tests import people

FEED = "/lists/safeguarding-news/calendar.ics"


class Diary:
    """A calendar program: it follows a feed, knows each event by its UID, and takes the copy with the higher number."""

    def __init__(self, client: FlaskClient, path: str) -> None:
        self._client, self._path = client, path
        self.events: dict[str, Any] = {}

    def look(self) -> "Diary":
        answer = self._client.get(self._path)
        assert answer.content_type == "text/calendar; charset=utf-8"
        calendar = vobject.readOne(answer.text)
        calendar.validate(raiseException=True)
        names = [event.uid.value for event in calendar.contents.get("vevent", [])]
        assert len(set(names)) == len(names)
        for event in calendar.contents.get("vevent", []):
            before = self.events.get(event.uid.value)
            if before is None or int(event.sequence.value) > int(before.sequence.value):
                self.events[event.uid.value] = event
        return self

    def days(self) -> dict[str, datetime]:
        return {event.summary.value: event.dtstart.value for event in self.events.values()}


@pytest.fixture
def year(app: Flask, now: datetime) -> Iterator[list[Issue]]:
    """2027 of Larkmere's list, laid out; it is Monday 7 December 2026."""
    mailing_list = people.larkmere(now)
    with time_machine.travel(now, tick=False):
        with transaction():
            cadence.choose(mailing_list, PRESETS[0].rhythm, actor=None, now=now)
        with transaction():
            made = planning.lay_out(mailing_list, 2027, actor=None, now=now)
        yield made


def move(issue: Issue, now: datetime, *, out: datetime, news: date) -> None:
    with transaction():
        replanning.move(
            issue, planned_at=out, deadline=Deadline.of(news, time(17), "Europe/London"), approval_on=None,
            actor=None, now=now,
        )  # fmt: skip


def test_a_list_has_its_deadlines_and_sending_days(year: list[Issue], client: FlaskClient) -> None:
    diary = Diary(client, FEED).look()

    assert diary.days() == {
        "Deadline: news for Safeguarding news, January 2027": datetime(2027, 1, 15, 17, tzinfo=UTC),
        "Safeguarding news, January 2027: goes out": datetime(2027, 1, 28, 10, tzinfo=UTC),
        # In summer time 5pm is 16:00 UTC.
        "Deadline: news for Safeguarding news, April 2027": datetime(2027, 4, 16, 16, tzinfo=UTC),
        "Safeguarding news, April 2027: goes out": datetime(2027, 4, 29, 9, tzinfo=UTC),
        "Deadline: news for Safeguarding news, July 2027": datetime(2027, 7, 16, 16, tzinfo=UTC),
        "Safeguarding news, July 2027: goes out": datetime(2027, 7, 29, 9, tzinfo=UTC),
        "Deadline: news for Safeguarding news, October 2027": datetime(2027, 10, 15, 16, tzinfo=UTC),
        "Safeguarding news, October 2027: goes out": datetime(2027, 10, 28, 9, tzinfo=UTC),
    }
    event = next(event for event in diary.events.values() if "April" in event.summary.value)
    assert "5pm, Friday 16 April 2027 (UK time)" in event.description.value
    assert event.url.value == "https://news.example.org/contribute/april-2027"


def test_a_moved_day_moves_in_the_calendar_that_follows(year: list[Issue], client: FlaskClient, now: datetime) -> None:
    diary = Diary(client, FEED).look()
    names = set(diary.events)
    move(year[1], now, out=datetime(2027, 5, 6, 9, tzinfo=UTC), news=date(2027, 4, 23))
    diary.look()

    assert set(diary.events) == names
    days = diary.days()
    assert days["Deadline: news for Safeguarding news, April 2027"] == datetime(2027, 4, 23, 16, tzinfo=UTC)
    assert days["Safeguarding news, April 2027: goes out"] == datetime(2027, 5, 6, 9, tzinfo=UTC)
    # And back again: the number only goes up.
    move(year[1], now, out=datetime(2027, 4, 29, 9, tzinfo=UTC), news=date(2027, 4, 16))
    days = diary.look().days()
    assert days["Deadline: news for Safeguarding news, April 2027"] == datetime(2027, 4, 16, 16, tzinfo=UTC)
    assert days["Safeguarding news, April 2027: goes out"] == datetime(2027, 4, 29, 9, tzinfo=UTC)


def test_a_deadline_moved_on_another_page_moves_too(year: list[Issue], client: FlaskClient, now: datetime) -> None:
    diary = Diary(client, FEED).look()
    with transaction():
        creating.change_deadline(
            year[0], Deadline.of(date(2027, 1, 18), time(12), "Europe/London"), actor=None, now=now
        )
        creating.change_frame(
            year[0], planned_at=datetime(2027, 1, 29, 10, tzinfo=UTC), keep_planned_at=False, actor=None, now=now
        )
    days = diary.look().days()

    assert days["Deadline: news for Safeguarding news, January 2027"] == datetime(2027, 1, 18, 12, tzinfo=UTC)
    assert days["Safeguarding news, January 2027: goes out"] == datetime(2027, 1, 29, 10, tzinfo=UTC)


def test_what_was_called_off_stays_as_called_off(year: list[Issue], client: FlaskClient, now: datetime) -> None:
    diary = Diary(client, FEED).look()
    with transaction():
        scheduling.cancel_issue(year[2], reason="The team is away.", actor=None, now=now)
    diary.look()

    july = [event for event in diary.events.values() if "July" in event.summary.value]
    assert [event.status.value for event in july] == ["CANCELLED", "CANCELLED"]
    assert len(diary.events) == 8


def test_an_empty_year_that_was_taken_back_and_laid_out_again_is_new(
    year: list[Issue], client: FlaskClient, now: datetime
) -> None:
    diary = Diary(client, FEED).look()
    names, later = set(diary.events), now + timedelta(hours=1)
    mailing_list = year[0].mailing_list
    with transaction():
        replanning.take_back(mailing_list, 2027, actor=None, now=later)
    with transaction():
        planning.lay_out(mailing_list, 2027, actor=None, now=later)

    assert not names & set(Diary(client, FEED).look().events)


def test_more_time_stands_in_ones_own_calendar_alone(year: list[Issue], client: FlaskClient, now: datetime) -> None:
    person = people.contributor(now, "Nadia Amin")
    path = personal_calendar_url(person).removeprefix("https://news.example.org")
    own, public = Diary(client, path).look(), Diary(client, FEED).look()
    assert own.days()["Deadline: news for Safeguarding news, January 2027"] == datetime(2027, 1, 15, 17, tzinfo=UTC)
    with transaction():
        given = extending.give(
            year[0], Deadline.of(date(2027, 1, 19), time(12), "Europe/London"), contributor=person, actor=None, now=now
        )

    assert own.look().days()["Deadline: news for Safeguarding news, January 2027"] == (
        datetime(2027, 1, 19, 12, tzinfo=UTC)
    )  # fmt: skip
    january = next(event for event in own.events.values() if "January" in event.summary.value)
    assert "You have until noon, Tuesday 19 January 2027 (UK time)." in january.description.value
    assert public.look().days()["Deadline: news for Safeguarding news, January 2027"] == (
        datetime(2027, 1, 15, 17, tzinfo=UTC)
    )  # fmt: skip
    with transaction():
        extending.revoke(given, actor=None, now=now)
    assert own.look().days()["Deadline: news for Safeguarding news, January 2027"] == (
        datetime(2027, 1, 15, 17, tzinfo=UTC)
    )  # fmt: skip


def test_an_agencys_time_stands_in_its_peoples_calendars(year: list[Issue], client: FlaskClient, now: datetime) -> None:
    police = people.agency(now)
    sam = people.contributor(now, of=police)
    until = Deadline.of(date(2027, 1, 20), time(12), "Europe/London")
    with transaction():
        extending.give(year[0], until, agency=police, actor=None, now=now)
    path = personal_calendar_url(sam).removeprefix("https://news.example.org")
    january = "Deadline: news for Safeguarding news, January 2027"

    assert Diary(client, path).look().days()[january] == until.instant
    with transaction():
        police.ended_at = now
    assert Diary(client, path).look().days()[january] == datetime(2027, 1, 15, 17, tzinfo=UTC)


def test_ones_own_calendar_is_for_them_alone(year: list[Issue], client: FlaskClient, now: datetime) -> None:
    person = people.contributor(now, "Nadia Amin")
    path = personal_calendar_url(person).removeprefix("https://news.example.org")
    answer = client.get(path)

    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert client.get(path.replace(".ics", "A.ics")).status_code == 404
    with transaction():
        person.ended_at = now
    assert client.get(path).status_code == 404


def test_who_is_signed_in_gets_the_address_of_their_own_calendar(
    year: list[Issue], client: FlaskClient, now: datetime
) -> None:
    person = people.contributor(now, "Nadia Amin")
    assert client.get("/contribute/calendar").status_code in (302, 303)
    people.sign_in_contributor(client, person)
    page = client.get("/contribute/calendar")

    assert personal_calendar_url(person) in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page.headers["Cache-Control"]


def test_the_deadlines_of_all_calls_and_of_one(year: list[Issue], client: FlaskClient) -> None:
    with transaction():
        year[0].title = "Winter; snow, and \\ ice; and a name so long that its line has to be folded, twice"
    everything, again = client.get("/deadlines.ics"), client.get("/deadlines.ics")
    calendar: Any = Calendar.from_ical(everything.data)
    one: Any = Calendar.from_ical(client.get("/contribute/july-2027/deadline.ics").data)

    assert everything.data == again.data
    assert everything.content_type == "text/calendar; charset=utf-8"
    events = calendar.walk("VEVENT")
    assert len(events) == 4
    assert str(events[0]["SUMMARY"]) == f"Deadline: news for Safeguarding news, {year[0].title}"
    assert [event.decoded("DTSTART") for event in one.walk("VEVENT")] == [datetime(2027, 7, 16, 16, tzinfo=UTC)]
    assert all(len(line) <= 75 for line in everything.data.split(b"\r\n"))
    assert b"\n" not in everything.data.replace(b"\r\n", b"")


def test_the_page_says_how_to_follow(year: list[Issue], client: FlaskClient) -> None:
    page = client.get("/lists/safeguarding-news/calendar").text

    assert 'href="webcal://news.example.org/lists/safeguarding-news/calendar.ics"' in page
    assert "https://news.example.org/lists/safeguarding-news/calendar.ics" in page
    assert "5pm, Friday 15 January 2027: news for January 2027 closes" in page.replace("\u00a0", " ")


@pytest.mark.parametrize("path", ["/lists/policy-changes/calendar.ics", "/lists/nothing/calendar.ics"])
def test_a_list_without_a_rhythm_has_no_calendar(
    year: list[Issue], client: FlaskClient, now: datetime, path: str
) -> None:
    people.policy_changes(now)

    assert client.get(path).status_code == 404


def test_a_list_that_is_not_offered_keeps_its_days_to_itself(year: list[Issue], client: FlaskClient) -> None:
    with transaction():
        db.session.get_one(MailingList, year[0].list_id).public = False

    assert client.get(FEED).status_code == 404
    assert client.get("/lists/safeguarding-news/calendar").status_code == 404
