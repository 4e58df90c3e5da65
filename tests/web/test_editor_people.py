"""Who is subscribed, and what people sent in."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.domain.calls import contributing
from newsletter.domain.calls.news import News
from newsletter.models import Block, Contribution, Issue, MailingList, Notice, Subscriber, Subscription
from newsletter.states import ContributionState, Role, SubscriptionState
from tests import people
from tests.web import desk


@pytest.fixture(autouse=True)
def _today(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def quarterly(now: datetime) -> MailingList:
    return people.larkmere(now)


def _name(address: str, name: str, organisation: str) -> Subscriber:
    with transaction():
        person = db.session.query(Subscriber).filter_by(address=address).one()
        person.name, person.organisation = name, organisation
    return person


# --- subscribers -------------------------------------------------------------------------------------------------


def test_helen_is_found_by_her_school(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 60)
    _name("reader7@example.org", "Helen Price", "Oakfield School")
    desk.ruth(client, now)
    page = client.get("/desk/subscribers").text
    assert "60 subscribers" in page
    found = client.get("/desk/subscribers?q=oakfield").text
    assert "1 person matches “oakfield”." in found
    assert "Helen Price" in found
    assert "reader8@example.org" not in found
    none = client.get("/desk/subscribers?q=okfield").text
    assert "Nobody matches “okfield”." in none
    assert "search everyone who ever subscribed" in none


def test_pages_go_on_where_the_last_one_ended(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 60)
    desk.ruth(client, now)
    first = client.get("/desk/subscribers").text
    following = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert following
    second = client.get(following[1].replace("&amp;", "&")).text
    seen = [set(re.findall(r"reader\d+@example\.org", page)) for page in (first, second)]
    assert [len(each) for each in seen] == [50, 10]
    assert not seen[0] & seen[1]


def test_a_viewer_sees_addresses_in_part(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 2)
    people.sign_in(client, people.staff(now, "Vera Lund", Role.VIEWER))
    page = client.get("/desk/subscribers").text
    assert "reader1@example.org" not in page
    assert "You see addresses in part" in page
    person = db.session.query(Subscriber).first()
    assert person is not None
    story = client.get(f"/desk/subscribers/{person.public_id}").text
    assert person.address not in story
    assert client.post(f"/desk/subscribers/{person.public_id}/leave/{quarterly.id}").status_code == 403


def test_who_edits_one_list_sees_no_others(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 1)
    other = people.policy_changes(now)
    people.sign_in(client, people.staff(now, "Omar Field", Role.EDITOR, on=other))
    assert "reader1@example.org" not in client.get("/desk/subscribers").text
    person = db.session.query(Subscriber).one()
    assert client.get(f"/desk/subscribers/{person.public_id}").status_code == 404
    assert client.get("/desk/subscribers?list=safeguarding-news").text.count("reader1") == 0


def test_somebody_leaves_at_their_request(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    [subscription] = people.subscribers(now, quarterly, 1)
    desk.ruth(client, now)
    person = db.session.query(Subscriber).one()
    url = f"/desk/subscribers/{person.public_id}"
    answer = client.post(f"{url}/leave/{quarterly.id}", follow_redirects=True)
    assert "They no longer get “Safeguarding news”." in answer.text
    assert "Left “Safeguarding news”" in answer.text
    db.session.expire_all()
    assert db.session.get_one(Subscription, subscription.id).state is SubscriptionState.LEFT


def test_forgetting_asks_first(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 1)
    desk.ruth(client, now)
    person = db.session.query(Subscriber).one()
    url = f"/desk/subscribers/{person.public_id}/forget"
    assert "This cannot be taken back." in client.get(url).text
    assert db.session.query(Subscriber).count() == 1
    assert client.post(url).headers["Location"] == "/desk/subscribers"
    assert db.session.query(Subscriber).count() == 0
    assert client.get(url).status_code == 404


def test_a_link_to_their_own_data(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 1)
    desk.ruth(client, now)
    person = db.session.query(Subscriber).one()
    client.post(f"/desk/subscribers/{person.public_id}/link")
    assert db.session.query(Notice).one().address == "reader1@example.org"


# --- contributions -----------------------------------------------------------------------------------------------


@pytest.fixture
def issue(client: FlaskClient, now: datetime, quarterly: MailingList) -> Issue:
    return desk.january(now, quarterly, desk.ruth(client, now))


def _news(issue: Issue, now: datetime, title: str = "Peer mentors") -> str:
    news = News(
        title=title,
        body="Oakfield has trained twelve mentors.\n\n- two for each year\n- one for staff",
        agency="Oakfield School",
        contact_name="Helen Price",
        contact_address="helen@example.org",
    )
    with transaction():
        outcome = contributing.save_contribution(issue, news, opened_at=now, now=now)
        return outcome.contribution.reference


def _state(reference: str) -> ContributionState:
    db.session.expire_all()
    return db.session.query(Contribution).filter_by(reference=reference).one().state


def test_ruth_reads_and_accepts(client: FlaskClient, issue: Issue, now: datetime) -> None:
    reference = _news(issue, now)
    listed = client.get("/desk/contributions").text
    assert "1 contribution to read" in listed
    assert "Helen Price, Oakfield School. For January 2027." in listed
    assert "https://news.example.org/contribute/january-2027" in listed
    page = client.get(f"/desk/contributions/{reference}").text
    assert "<li>two for each year</li>" in page
    answer = client.post(
        f"/desk/contributions/{reference}",
        data={"decision": "place", "issue": str(issue.id), "note": "Thank you."},
        follow_redirects=True,
    )
    assert "Accepted. It stands in the issue as a section of its own" in answer.text
    block = db.session.query(Block).filter(Block.contribution_id.is_not(None)).one()
    assert (block.data["heading"], block.data["source_agency"]) == ("Peer mentors", "Oakfield School")
    assert f"/desk/issues/january-2027/write/{block.id}" in answer.text
    assert db.session.query(Notice).filter_by(template="contribution_accepted").count() == 1


def test_quietly(client: FlaskClient, issue: Issue, now: datetime) -> None:
    reference = _news(issue, now)
    client.post(f"/desk/contributions/{reference}", data={"decision": "place", "issue": str(issue.id), "quiet": "y"})
    assert db.session.query(Notice).filter_by(template="contribution_accepted").count() == 0


def test_declining_needs_a_reason_and_can_be_taken_back(client: FlaskClient, issue: Issue, now: datetime) -> None:
    reference = _news(issue, now)
    url = f"/desk/contributions/{reference}"
    without = client.post(url, data={"decision": "decline", "issue": str(issue.id)})
    assert without.status_code == 422
    assert '<a href="#note">Say why. The sender reads these words.</a>' in without.text
    assert _state(reference) is ContributionState.SUBMITTED
    page = client.post(
        url, data={"decision": "decline", "issue": str(issue.id), "note": "It was in September."}, follow_redirects=True
    ).text
    assert "It was in September." in page
    assert _state(reference) is ContributionState.DECLINED
    client.post(f"{url}/reopen")
    assert _state(reference) is ContributionState.SUBMITTED


def test_it_is_kept_for_the_next_issue(client: FlaskClient, issue: Issue, now: datetime) -> None:
    reference = _news(issue, now)
    april = db.session.query(Issue).filter_by(slug="april-2027").one().id
    client.post(f"/desk/contributions/{reference}", data={"decision": "carry", "issue": str(april)})
    db.session.expire_all()
    assert db.session.query(Contribution).filter_by(reference=reference).one().issue_id == april


def test_a_late_one_is_kept_and_shown(client: FlaskClient, issue: Issue, now: datetime) -> None:
    assert issue.deadline is not None
    reference = _news(issue, issue.deadline.closes_at + timedelta(days=1))
    page = client.get("/desk/contributions").text
    assert "Came after the deadline" in page
    assert "It came after the deadline." in client.get(f"/desk/contributions/{reference}").text


def test_two_editors_decide_at_once(client: FlaskClient, issue: Issue, now: datetime) -> None:
    reference = _news(issue, now)
    data = {"decision": "place", "issue": str(issue.id)}
    client.post(f"/desk/contributions/{reference}", data=data)
    second = client.post(f"/desk/contributions/{reference}", data=data)
    assert second.status_code == 422
    assert "Somebody was quicker." in second.text
    assert db.session.query(Block).filter(Block.contribution_id.is_not(None)).count() == 1


def test_what_waits_stops_the_schedule_and_stands_on_the_desk(client: FlaskClient, issue: Issue, now: datetime) -> None:
    _news(issue, now)
    _news(issue, now, "Helpline hours")
    assert "Read 2 new contributions" in client.get("/desk").text
    assert "2 to read." in client.get("/desk/issues/january-2027").text


def test_an_unknown_reference_is_not_found(client: FlaskClient, issue: Issue) -> None:
    assert client.get("/desk/contributions/AAAA-BBBB").status_code == 404
