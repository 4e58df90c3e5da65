"""Ruth makes an audience without a line of SQL, chooses it for an issue, and everybody who approves sees it."""

from collections.abc import Iterator
from datetime import datetime
from html import unescape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.issues import audience
from newsletter.domain.subscribers import audiences
from newsletter.models import Activity, Audience, Issue, MailingList, Subscriber
from newsletter.states import Role
from tests import people
from tests.web import desk


@pytest.fixture
def issue(app: Flask, client: FlaskClient, now: datetime) -> Issue:
    """Ruth is at her desk; two of the five readers work in health."""
    quarterly = people.larkmere(now)
    people.policy_changes(now)
    people.subscribers(now, quarterly, 5)
    with transaction():
        for each in db.session.scalars(select(Subscriber).order_by(Subscriber.id).limit(2)):
            each.sector = "health"
    return desk.january(now, quarterly, desk.ruth(client, now))


@pytest.fixture(autouse=True)
def _in_december(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


def _text(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return " ".join(unescape(answer.text).split())


NEW = "/desk/lists/safeguarding-news/audiences/new"


def test_it_is_counted_while_it_is_put_together_and_saved_when_she_says_so(client: FlaskClient, issue: Issue) -> None:
    assert "Nothing is asked yet, so it would be everybody: 5." in _text(client, NEW)
    asked = {"name": "Health", "sector_one_of": ["health"], "domain_one_of": "example.org\n@example.com",
             "joined_since": "1/1/2026"}  # fmt: skip
    counted = unescape(client.post(NEW, data=asked, headers={"HX-Request": "true"}).text)
    assert "of 5 subscribers" in counted and ">2</p>" in counted
    assert "Address at example.com or example.org" in counted
    assert db.session.scalar(select(Audience)) is None
    assert client.post(NEW, data={**asked, "do": "save"}).headers["Location"] == "/desk/audiences"
    page = _text(client, "/desk/audiences")
    assert (
        "Sector: Health. Address at example.com or example.org. Joined on Thursday 1 January 2026 or later." in page
        and "2 people now" in page
    )
    number = db.session.scalars(select(Audience.id)).one()
    shown = _text(client, f"/desk/audiences/{number}")
    assert 'value="health" checked' in shown and "example.com example.org</textarea>" in shown
    assert 'value="Thursday 1 January 2026"' in shown
    client.post(f"/desk/audiences/{number}", data={"name": "Health", "sector_one_of": ["none"], "do": "save"})
    assert db.session.scalars(select(Audience.conditions)).one() == [{"field": "sector", "is": "one_of", "value": [""]}]
    client.post(f"/desk/audiences/{number}/end")
    assert client.get(f"/desk/audiences/{number}").status_code == 404


def test_each_wrong_answer_is_said_at_its_field_and_nothing_typed_is_lost(client: FlaskClient, issue: Issue) -> None:
    wrong = {"name": "", "domain_none_of": "not a domain!", "joined_before": "soon", "organisation_has": "ward"}
    answer = client.post(NEW, data={**wrong, "do": "save"})
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert "Error: " in page.partition("</title>")[0]
    assert "Enter a date, such as 15 January 2027" in page
    wrong["joined_before"] = "15 January 2027"
    page = unescape(client.post(NEW, data={**wrong, "do": "save"}).text)
    assert "Enter a name for the audience" in page and "is no domain" in page
    assert 'value="ward"' in page and 'value="15 January 2027"' in page
    assert client.post(NEW, data={**wrong, "do": "count"}, headers={"HX-Request": "true"}).status_code == 200
    assert "Say at least one thing" in unescape(client.post(NEW, data={"name": "All", "do": "save"}).text)


def test_an_issue_for_a_part_of_the_list_says_so_wherever_it_is_decided(
    client: FlaskClient, issue: Issue, now: datetime
) -> None:
    url = f"/desk/issues/{issue.slug}"
    assert "No part of the list has been made an audience yet" in _text(client, f"{url}/audience")
    client.post(NEW, data={"name": "Health", "sector_one_of": ["health"], "do": "save"})
    number = db.session.scalars(select(Audience.id)).one()
    assert "2 people. Sector: Health." in _text(client, f"{url}/audience")
    assert client.post(f"{url}/audience", data={"audience": str(number)}).headers["Location"] == url
    assert "To 2 subscribers" in _text(client, url)
    assert "It goes to a part of the list: “Health”.</strong> Sector: Health." in _text(client, f"{url}/approval")
    desk.approve(db.session.get_one(Issue, issue.id), people.staff(now, "Ewan Marsh", Role.APPROVER), now)
    assert "2 subscribers of Safeguarding news, those of “Health”" in _text(client, f"{url}/schedule")
    client.post(f"/desk/audiences/{number}", data={"name": "Health", "organisation_has": "ward", "do": "save"})
    page = _text(client, f"{url}/audience")
    assert "as it was when it was chosen" in page and "Another choice ends the approval" in page
    client.post(f"{url}/audience", data={"audience": "everybody"})
    assert "Who gets it was changed to “Everybody on the list”." in _text(client, f"{url}/approval")
    assert audience.count(db.session.get_one(Issue, issue.id)) == 5
    assert db.session.scalars(select(Activity.action).where(Activity.action.startswith("issue.audience"))).all() == [
        "issue.audience_chosen", "issue.audience_chosen",
    ]  # fmt: skip


@pytest.mark.parametrize("typed", ["", "x", "999", "-1", "٣", "1' OR '1'='1"])
def test_no_answer_that_is_no_audience_changes_anything(client: FlaskClient, issue: Issue, typed: str) -> None:
    version = issue.content_version
    url = f"/desk/issues/{issue.slug}/audience"
    assert client.post(url, data={"audience": typed}).headers["Location"] == url
    assert db.session.get_one(Issue, issue.id).content_version == version


def test_who_may(app: Flask, issue: Issue, now: datetime) -> None:
    """A viewer sees numbers; an editor of another list sees nothing of this one."""
    quarterly = db.session.get_one(MailingList, issue.list_id)
    with transaction():
        asked = [{"field": "sector", "is": "one_of", "value": ["health"]}]
        number = audiences.save(None, quarterly, "Health", asked, actor=None, now=now).id
    viewer, other = app.test_client(), app.test_client()
    people.sign_in(viewer, people.staff(now, "Vera Lund", Role.VIEWER))
    policy = db.session.scalars(select(MailingList).where(MailingList.id != quarterly.id)).one()
    people.sign_in(other, people.staff(now, "Olaf Reed", Role.EDITOR, policy))
    assert "Health" in _text(viewer, "/desk/audiences") and "Make an audience" not in _text(viewer, "/desk/audiences")
    assert viewer.get(f"/desk/audiences/{number}").status_code == 403
    assert "Sector: Health" not in _text(other, "/desk/audiences")
    for answer in (other.get(f"/desk/audiences/{number}"), other.post(f"/desk/audiences/{number}/end")):
        assert answer.status_code == 403
    assert other.get(NEW).status_code == 404
