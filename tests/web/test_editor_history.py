"""Ruth looks back on the page: versions, what changed, undo, the bin."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.domain.issues import creating
from newsletter.models import Account, Issue
from newsletter.states import Role
from tests import people
from tests.web import desk

URL = "/desk/issues/january-2027"


@pytest.fixture
def clock(now: datetime) -> object:
    """The clock stands, and tests move it on."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ruth(client: FlaskClient, now: datetime) -> Account:
    return desk.ruth(client, now)


@pytest.fixture
def issue(clock: time_machine.Traveller, ruth: Account, now: datetime) -> Issue:
    made = desk.january(now, people.larkmere(now), ruth)
    clock.shift(timedelta(minutes=1))
    return made


def _headings(issue: Issue) -> list[str]:
    db.session.expire_all()
    return [block.data.get("heading", "") for block in issue.blocks if block.kind in ("section", "contact")]


def test_a_move_offers_its_undo_which_is_one_button(client: FlaskClient, issue: Issue) -> None:
    contact = desk.block_id(issue, "contact")
    moved = client.post(f"{URL}/write/{contact}/move", data={"way": "up"})
    assert _headings(issue) == ["Who to ask", "Practice week"]
    page = client.get(moved.location).text
    assert "“Who to ask” was moved." in page
    assert f'action="{URL}/history/1/undo"' in page
    undone = client.post(f"{URL}/history/1/undo", follow_redirects=True)
    assert "Undone." in undone.text
    assert _headings(issue) == ["Practice week", "Who to ask"]


def test_an_undo_that_would_lose_words_says_so_and_leads_to_the_versions(
    client: FlaskClient, issue: Issue, clock: time_machine.Traveller
) -> None:
    section = desk.block_id(issue, "section")
    copy = client.post(f"{URL}/write/{section}/duplicate").location.rsplit("/", 1)[1].partition("#")[0]
    clock.shift(timedelta(minutes=1))
    client.post(f"{URL}/write/{copy}", data={"expected": "1", "d.heading": "Practice in spring", "d.body": "Soon."})
    answer = client.post(f"{URL}/history/1/undo", follow_redirects=True)
    assert "“Practice in spring” was changed since." in answer.text
    assert "Practice in spring" in _headings(issue)


def test_versions_are_listed_compared_and_taken_again(
    client: FlaskClient, issue: Issue, clock: time_machine.Traveller
) -> None:
    assert "No version yet" in client.get(f"{URL}/history").text
    clock.shift(timedelta(hours=2))
    section = desk.block_id(issue, "section")
    saved = {"expected": "1", "d.heading": "Practice week", "d.body": "We will run three practice days in April."}
    client.post(f"{URL}/write/{section}", data=saved)
    page = client.get(f"{URL}/history").text
    assert "As it was left" in page
    assert "Since the newest version: 1 section changed." in page
    told = client.get(f"{URL}/history/compare?from=1").text
    assert "[removed:] </span>four<span" in told
    assert "[added:] </span>three<span" in told
    assert client.get(f"{URL}/history/compare?from=1&to=1").text.count("Nothing differs") == 1
    back = client.post(f"{URL}/history/1/restore", follow_redirects=True)
    assert "It says again what it said in version 1." in back.text
    db.session.expire_all()
    block = next(each for each in issue.blocks if str(each.id) == section)
    assert "four practice days" in block.data["body"]
    assert "Version 1 was taken again." in back.text


def test_the_subject_is_part_of_a_version(
    client: FlaskClient, issue: Issue, clock: time_machine.Traveller, now: datetime
) -> None:
    asked = client.get(f"{URL}/frame").text
    assert "January 2027: practice week, new chapters" in asked
    with transaction():
        creating.change_frame(issue, subject="January 2027: spring walks, new chapters", actor=None, now=now)
    page = client.get(f"{URL}/history").text
    assert "Before “Subject” was changed" in page
    assert "Since the newest version: Subject changed." in page
    told = client.get(f"{URL}/history/compare?from=1").text
    assert '<h2 class="govuk-heading-s">Subject</h2>' in told
    assert "[added:] </span>spring walks<span" in told
    client.post(f"{URL}/history/1/restore")
    db.session.expire_all()
    assert issue.subject == "January 2027: practice week, new chapters"


@pytest.mark.parametrize("query", ["", "from=x", "from=99", "from=1&to=77", "from=99999999999"])
def test_a_version_that_is_not_there_is_not_found(client: FlaskClient, issue: Issue, query: str) -> None:
    assert client.get(f"{URL}/history/compare?{query}").status_code == 404


def test_one_section_is_read_back_and_taken_again(
    client: FlaskClient, issue: Issue, clock: time_machine.Traveller
) -> None:
    section = desk.block_id(issue, "section")
    client.post(f"{URL}/write/{section}", data={"expected": "1", "d.heading": "Other words", "d.body": "Short."})
    clock.shift(timedelta(minutes=1))
    page = client.get(f"{URL}/write/{section}/history").text
    assert "Versions of “Other words”" in page
    assert "[removed:] </span>Practice week<span" in page
    url = f"{URL}/write/{section}/history/1/restore"
    late = client.post(url, data={"expected": "1"}, follow_redirects=True)
    assert "Somebody else changed this section" in late.text
    client.post(url, data={"expected": "2"})
    assert "Practice week" in _headings(issue)


def test_the_bin_gives_back_and_asks_before_it_forgets(client: FlaskClient, issue: Issue) -> None:
    assert "The bin is empty" in client.get(f"{URL}/bin").text
    contact = desk.block_id(issue, "contact")
    client.post(f"{URL}/write/{contact}/delete")
    page = client.get(f"{URL}/bin").text
    assert "Deleted by Ruth Adeyemi" in page
    assert "It goes for good on Wednesday 6 January 2027." in page
    client.post(f"{URL}/bin/{contact}/back")
    assert "Who to ask" in _headings(issue)
    client.post(f"{URL}/write/{contact}/delete")
    asked = client.get(f"{URL}/bin/{contact}/empty").text
    assert "This cannot be undone." in asked
    gone = client.post(f"{URL}/bin/{contact}/empty", follow_redirects=True)
    assert "“Who to ask” is gone." in gone.text
    assert "The bin is empty" in gone.text


def test_viewers_read_and_change_nothing(client: FlaskClient, issue: Issue, now: datetime) -> None:
    contact = desk.block_id(issue, "contact")
    client.post(f"{URL}/write/{contact}/move", data={"way": "up"})
    viewer = people.staff(now, "Vera Holt", Role.VIEWER)
    people.sign_in(client, viewer)
    for path in ("history", "history/compare?from=1", "bin", f"write/{contact}/history"):
        page = client.get(f"{URL}/{path}")
        assert page.status_code == 200, path
        assert 'action="/desk' not in page.text, path
    for path in ("history/1/restore", "history/1/undo", f"bin/{contact}/back", f"write/{contact}/history/1/restore"):
        assert client.post(f"{URL}/{path}").status_code == 403, path
