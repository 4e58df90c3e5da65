"""Ruth begins April with what came back in January, and keeps what was promised."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.domain.issues import creating, editing
from newsletter.models import Account, FollowUp, Issue, MailingList
from newsletter.states import Role
from tests import people
from tests.web import desk


@pytest.fixture
def clock(now: datetime) -> object:
    """The clock stands, and tests move it on."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ruth(client: FlaskClient, clock: time_machine.Traveller, now: datetime) -> Account:
    assert clock
    return desk.ruth(client, now)


@pytest.fixture
def mailing_list(clock: time_machine.Traveller, now: datetime) -> MailingList:
    assert clock
    return people.larkmere(now)


@pytest.fixture
def january(ruth: Account, mailing_list: MailingList, now: datetime) -> Issue:
    """January, with a promise in its words and April after it."""
    issue = desk.january(now, mailing_list, ruth)
    with transaction():
        editing.add_block(
            issue, "section",
            {"heading": "Your voices", "body": "<p>40 people wrote. Results in our next newsletter.</p>"},
            position=3, actor=ruth, now=now,
        )  # fmt: skip
    return issue


def _april() -> Issue:
    db.session.expire_all()
    return db.session.query(Issue).filter_by(slug="april-2027").one()


def _headings(issue: Issue) -> list[str]:
    return [block.data["heading"] for block in issue.blocks if block.data.get("heading") and block.kind != "call"]


def _promise(client: FlaskClient, january: Issue) -> int:
    voices = next(str(block.id) for block in january.blocks if block.data.get("heading") == "Your voices")
    page = client.get(f"/desk/issues/january-2027/write/{voices}").text
    assert "This promises news:" in page
    client.post(f"/desk/issues/january-2027/write/{voices}/follow-up", data={"note": "Ask Ann"})
    page = client.get(f"/desk/issues/january-2027/write/{voices}").text
    assert "This waits at the top of the next issue." in page
    return db.session.query(FollowUp).one().id


def test_a_new_issue_is_offered_the_last_ones_headings(
    client: FlaskClient, january: Issue, clock: time_machine.Traveller
) -> None:
    assert january
    clock.shift(timedelta(minutes=10))
    begun = client.post(
        "/desk/issues/new",
        data={
            "list": "safeguarding-news",
            "title": "July 2027",
            "deadline_day": "16 July 2027",
            "deadline_time": "5pm",
        },
    )
    assert begun.location == "/desk/issues/july-2027/start"
    page = client.get(begun.location).text
    assert "Start from January 2027" in page
    assert "Last time’s words" in page


def test_ticked_sections_come_back_as_headings_with_last_times_words_beside(
    client: FlaskClient, january: Issue
) -> None:
    practice = desk.block_id(january, "section")
    assert "Start from January 2027" in client.get("/desk/issues/april-2027/write").text
    answer = client.post("/desk/issues/april-2027/start", data={"section": [practice, "no-such"]})
    april = _april()
    assert _headings(april) == ["Practice week"]
    page = client.get(answer.location).text
    assert "1 section waits for its words." in page
    assert "We will run four practice days in March." in page
    section = desk.block_id(april, "section")
    late = client.post(f"/desk/issues/april-2027/write/{section}/last-words", data={"expected": "9"})
    assert "Somebody else changed" in client.get(late.location).text
    used = client.post(f"/desk/issues/april-2027/write/{section}/last-words", data={"expected": "1"})
    assert "Change what has changed." in client.get(used.location).text
    block = next(each for each in _april().blocks if each.kind == "section")
    assert "four practice days" in block.data["body"]


def test_with_nothing_before_it_there_is_nothing_to_start_from(
    client: FlaskClient, ruth: Account, mailing_list: MailingList, now: datetime
) -> None:
    with transaction():
        creating.create_issue(mailing_list, title="First", actor=ruth, now=now)
    page = client.get("/desk/issues/first/start", follow_redirects=True).text
    assert "There is nothing of a last issue to start from." in page


def test_a_promise_waits_on_the_next_desk_and_in_its_task_list(client: FlaskClient, january: Issue) -> None:
    number = _promise(client, january)
    assert "1 thing was promised for this issue." in client.get("/desk/issues/april-2027").text
    assert "Promised last time. Ask Ann" in client.get("/desk/issues/april-2027/write").text
    listed = client.get("/desk/issues/april-2027/follow-ups").text
    assert "Results in our next newsletter." in listed
    kept = client.post(f"/desk/issues/april-2027/follow-ups/{number}/keep")
    assert _headings(_april()) == ["Your voices"]
    page = client.get(kept.location).text
    assert "“Your voices” is a section now, with its old words." in page
    made = desk.block_id(_april(), "section")
    assert f'name="block" value="{made}"' in page
    again = client.post(f"/desk/issues/april-2027/follow-ups/{number}/keep", follow_redirects=True)
    assert "Somebody was quicker" in again.text
    client.post(f"/desk/issues/april-2027/follow-ups/{number}/back", data={"block": made})
    assert _headings(_april()) == []
    assert "Promised last time." in client.get("/desk/issues/april-2027/write").text


@pytest.mark.parametrize(
    ("verb", "words"), [("carry", "waits for the issue after this one"), ("let-go", "will not be followed up")]
)
def test_a_promise_is_carried_on_or_let_go_and_that_is_taken_back(
    client: FlaskClient, january: Issue, verb: str, words: str
) -> None:
    number = _promise(client, january)
    decided = client.post(f"/desk/issues/april-2027/follow-ups/{number}/{verb}")
    page = client.get(decided.location).text
    assert words in page
    assert "Promised last time." not in page
    back = client.post(f"/desk/issues/april-2027/follow-ups/{number}/back", data={"block": ""}, follow_redirects=True)
    assert "Promised last time." in back.text


def test_another_lists_promise_is_not_found_and_viewers_decide_nothing(
    client: FlaskClient, january: Issue, now: datetime, ruth: Account
) -> None:
    number = _promise(client, january)
    other = people.policy_changes(now)
    with transaction():
        creating.create_issue(other, title="Policy", actor=ruth, now=now)
    for path in ("april-2027/follow-ups/99", f"policy/follow-ups/{number}"):
        assert client.post(f"/desk/issues/{path}/keep").status_code == 404
    viewer = people.staff(now, "Vera Holt", Role.VIEWER)
    people.sign_in(client, viewer)
    for verb in ("keep", "carry", "let-go", "back"):
        assert client.post(f"/desk/issues/april-2027/follow-ups/{number}/{verb}").status_code == 403
    page = client.get("/desk/issues/april-2027/follow-ups").text
    assert "Your voices" in page
    assert "Keep it" not in page
