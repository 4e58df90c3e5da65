"""An event on the web page of an issue goes into a reader's calendar, at the right hour wherever they are."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from icalendar import Calendar

from newsletter.db import transaction
from newsletter.delivery.launch import launch
from newsletter.domain.issues import editing
from newsletter.models import Issue, SlugRedirect
from newsletter.states import Role
from tests import people
from tests.web import desk

_WINTER = {
    "title": "Behind the empty chair, again; a workshop", "start": "2027-02-02T09:30", "end": "2027-02-02T12:30",
    "place": "Orchard Centre, Larkmere", "cost": "Free", "url": "https://larkmere.example.org/chair",
    "link_text": "Book a place on “Behind the empty chair”",
}  # fmt: skip
_SUMMER = {
    "title": "Plans that families understand", "start": "2027-06-08T13:00", "end": "2027-06-08T16:00", "place": "Online"
}  # fmt: skip


@pytest.fixture
def out(now: datetime) -> Issue:
    """An issue that is out, with an event in the mail alone, one in winter and one in summer."""
    with time_machine.travel(now, tick=False):
        mailing_list = people.larkmere(now)
        people.subscribers(now, mailing_list, 2)
        ruth = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
        issue = desk.january(now, mailing_list, ruth)
        with transaction():
            for position, (data, where) in enumerate(((_SUMMER, "mail"), (_WINTER, "both"), (_SUMMER, "both")), 3):
                common = {"where": where}
                editing.add_block(issue, "event", data, position=position, common=common, actor=ruth, now=now)
        desk.approve(issue, people.staff(now, "Ewan Marsh", Role.APPROVER), now)
        desk.schedule(issue, ruth, now, now + timedelta(hours=1))
        assert launch(issue.id, now + timedelta(hours=1))
    return issue


def test_the_page_offers_each_event_and_the_calendar_takes_it(client: FlaskClient, out: Issue) -> None:
    page = client.get("/news/january-2027").text
    address = "https://news.example.org/news/january-2027/events/"
    assert page.count("/events/") == 2
    assert f'<a href="{address}1.ics">Add “Behind the empty chair, again; a workshop” to' in page.replace("\u00a0", " ")
    assert f'<a href="{address}2.ics">Add “Plans that families understand” to' in page.replace("\u00a0", " ")

    answer = client.get("/news/january-2027/events/1.ics")
    assert answer.mimetype == "text/calendar"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="january-2027-event-1.ics"'
    assert "Set-Cookie" not in answer.headers
    assert answer.data == client.get("/news/january-2027/events/1.ics").data
    event: Any = Calendar.from_ical(answer.data).walk("VEVENT")[0]
    assert str(event["SUMMARY"]) == _WINTER["title"]
    assert str(event["LOCATION"]) == "Orchard Centre, Larkmere"
    assert "https://news.example.org/news/january-2027" in event["DESCRIPTION"]
    assert str(event["URL"]) == _WINTER["url"]
    assert event["DTSTART"].params["TZID"] == "Europe/London"
    assert event["DTSTART"].dt.astimezone(UTC) == datetime(2027, 2, 2, 9, 30, tzinfo=UTC)


def test_an_hour_in_summer_is_an_hour_of_summer_time(client: FlaskClient, out: Issue) -> None:
    calendar: Any = Calendar.from_ical(client.get("/news/january-2027/events/2.ics").data)
    (event,) = calendar.walk("VEVENT")
    assert (event["DTSTART"].dt.hour, event["DTEND"].dt.hour) == (13, 16)
    assert event["DTSTART"].dt.astimezone(UTC) == datetime(2027, 6, 8, 12, 0, tzinfo=UTC)
    (zone,) = calendar.walk("VTIMEZONE")
    assert str(zone["TZID"]) == "Europe/London"
    assert {str(each["TZNAME"]) for each in zone.subcomponents} == {"GMT", "BST"}
    assert str(event["URL"]) == "https://news.example.org/news/january-2027"


@pytest.mark.parametrize("path", ["january-2027/events/3.ics", "january-2027/events/0.ics", "april-2027/events/1.ics"])
def test_what_is_not_on_a_page_that_is_out_is_not_found(client: FlaskClient, out: Issue, path: str) -> None:
    assert client.get(f"/news/{path}").status_code == 404


def test_an_address_it_once_had_leads_on(client: FlaskClient, out: Issue) -> None:
    with transaction() as session:
        session.add(SlugRedirect(slug="winter-2027", issue_id=out.id))
    answer = client.get("/news/winter-2027/events/1.ics")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/news/january-2027/events/1.ics")
