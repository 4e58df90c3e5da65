"""A page that saves by itself, and what it hears back; both texts of a clash; the preview of what is typed."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.domain.issues import checking, commenting, editing, versions
from newsletter.domain.issues.content import render_issue
from newsletter.models import Account, Block, Issue
from newsletter.states import IssueState, Role
from tests import people
from tests.web import desk

WRITE = "/desk/issues/january-2027/write"
BY_ITSELF = {"X-Autosave": "yes", "Accept": "application/json"}


@pytest.fixture(autouse=True)
def _at_work(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def issue(client: FlaskClient, now: datetime) -> Issue:
    return desk.january(now, people.larkmere(now), desk.ruth(client, now))


@pytest.fixture
def ewan(issue: Issue, now: datetime) -> Account:
    return people.staff(now, "Ewan Marsh", Role.EDITOR)


def _typed(heading: str, body: str = "Bring your timetable.", expected: int = 1) -> dict[str, str]:
    return {"expected": str(expected), "d.heading": heading, "d.body": body, "c.where": "both"}


def _block(block_id: str) -> Block:
    db.session.expire_all()
    return db.session.get_one(Block, UUID(block_id))


def _autosave(client: FlaskClient, block_id: str, form: dict[str, str]) -> TestResponse:
    return client.post(f"{WRITE}/{block_id}", data=form, headers=BY_ITSELF)


def _by_ewan(block_id: str, ewan: Account, now: datetime, heading: str = "Practice days") -> None:
    with transaction():
        block = _block(block_id)
        data = {**block.data, "heading": heading}
        editing.edit_block(block, data, expected_version=block.version, actor=ewan, now=now)


def _found(client: FlaskClient, block_id: str) -> dict[str, Any]:
    answer = client.get(f"{WRITE}/{block_id}/found")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.get_json()
    return told


def test_it_hears_the_new_version_and_asks_what_there_is_to_mend(client: FlaskClient, issue: Issue) -> None:
    section = desk.block_id(issue, "section")
    first = _autosave(client, section, _typed("Practice week", "Come to to Larkmere."))
    assert first.status_code == 200
    told = first.json
    assert told is not None
    assert (told["expected"], told["at"]) == (2, "10am")
    found = _found(client, section)
    assert (found["content"], found["broken"]) == (told["content"], "")
    assert "app-mend" in found["mend"], "the word that stands twice is found"
    (row,) = [row for row in found["rows"] if row["id"] == section]
    assert (row["name"], row["sign"]) == ("Practice week", "?")
    second = _autosave(client, section, _typed("Practice days", expected=2)).json
    assert second is not None
    assert second["expected"] == 3
    assert _found(client, section)["mend"].strip() == ""
    assert _block(section).data["heading"] == "Practice days"


def test_a_save_waits_for_no_check(client: FlaskClient, issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_asked: object) -> None:
        raise AssertionError("the checks ran")

    monkeypatch.setattr("newsletter.web.editor.desk.run_checks", refuse)
    assert _autosave(client, desk.block_id(issue, "section"), _typed("Practice days")).status_code == 200


def test_a_section_is_read_anew_when_what_is_around_it_changes(
    client: FlaskClient, issue: Issue, now: datetime
) -> None:
    """The same words, another day of sending: the date in them is past then."""
    section = desk.block_id(issue, "section")
    _autosave(client, section, _typed("Practice week", "Book by Friday 29 January 2027."))
    assert "past_date" not in {each.code for each in checking.run_checks(issue, now)}
    with transaction():
        db.session.get_one(Issue, issue.id).planned_at = now + timedelta(days=80)
    assert "past_date" in {each.code for each in checking.run_checks(issue, now)}


def test_words_whose_answer_was_lost_may_be_sent_again(client: FlaskClient, issue: Issue) -> None:
    section = desk.block_id(issue, "section")
    assert _autosave(client, section, _typed("Practice days")).status_code == 200
    again = _autosave(client, section, _typed("Practice days"))
    assert again.status_code == 200
    assert again.json is not None
    assert again.json["expected"] == 2


def test_a_clash_saves_nothing_and_says_so(client: FlaskClient, issue: Issue, ewan: Account, now: datetime) -> None:
    section = desk.block_id(issue, "section")
    _by_ewan(section, ewan, now)
    answer = _autosave(client, section, _typed("My week"))
    assert (answer.status_code, answer.json) == (409, {"clash": True})
    assert _block(section).data["heading"] == "Practice days"


def test_what_cannot_be_saved_names_its_control(client: FlaskClient, issue: Issue) -> None:
    section = desk.block_id(issue, "section")
    answer = _autosave(client, section, {**_typed("Practice week"), "c.diary": "x" * 161})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["problems"] == [{"id": "c-diary", "sentence": "Use 160 characters or fewer."}]


def test_words_that_are_locked_are_refused_in_a_sentence(client: FlaskClient, issue: Issue, now: datetime) -> None:
    section = desk.block_id(issue, "section")
    ruth = db.session.query(Account).one()
    people.subscribers(now, issue.mailing_list, 1)
    desk.approve(issue, people.staff(now, "Alun Rees", Role.APPROVER), now)
    desk.schedule(issue, ruth, now, now + timedelta(days=2))
    answer = _autosave(client, section, _typed("Late words"))
    assert answer.status_code == 422
    assert answer.json is not None
    assert "scheduled" in answer.json["error"]


def test_an_approval_that_ends_by_typing_is_told(client: FlaskClient, issue: Issue, now: datetime) -> None:
    section = desk.block_id(issue, "section")
    desk.approve(issue, people.staff(now, "Alun Rees", Role.APPROVER), now)
    told = _autosave(client, section, _typed("Practice days")).json
    assert told is not None
    assert told["remark"] == "The approval ended, since the words changed."
    assert _block(section).issue_id == issue.id
    assert db.session.get_one(Issue, issue.id).state is IssueState.DRAFT


def test_whoever_is_signed_out_saves_nothing(client: FlaskClient, issue: Issue) -> None:
    section = desk.block_id(issue, "section")
    client.post("/sign-out")
    assert _autosave(client, section, _typed("Practice days")).status_code == 400, "its token went with the session"
    assert _block(section).version == 1


def test_both_texts_are_shown_with_what_differs_marked(
    client: FlaskClient, issue: Issue, ewan: Account, now: datetime
) -> None:
    section = desk.block_id(issue, "section")
    _by_ewan(section, ewan, now)
    page = client.post(f"{WRITE}/{section}", data=_typed("Practice month"))
    assert page.status_code == 409
    assert "Ewan Marsh saved this section while you were writing." in page.text
    for words in ("month", "days"):
        assert f'<span class="govuk-visually-hidden">[only here:] </span>{words}<' in page.text
    for button in ("Keep yours", "Keep theirs", "Keep both"):
        assert button in page.text


def test_both_are_kept_one_below_the_other(client: FlaskClient, issue: Issue, ewan: Account, now: datetime) -> None:
    section = desk.block_id(issue, "section")
    _by_ewan(section, ewan, now)
    answer = client.post(f"{WRITE}/{section}/both", data=_typed("My week", "My words."))
    assert answer.status_code == 303
    db.session.expire_all()
    blocks = db.session.get_one(Issue, issue.id).blocks
    at = next(number for number, block in enumerate(blocks) if str(block.id) == section)
    assert [block.data["heading"] for block in blocks[at : at + 2]] == ["Practice days", "My week"]
    assert f"/write/{blocks[at + 1].id}?saved={section}" in answer.headers["Location"]
    (said,) = commenting.comments_on(blocks[at + 1])
    assert "Practice days" in said.body
    assert "My words." not in render_issue(issue).html.partition("My week")[0]


def test_words_for_a_section_that_was_deleted_find_a_place(
    client: FlaskClient, issue: Issue, ewan: Account, now: datetime
) -> None:
    section = desk.block_id(issue, "section")
    with transaction():
        editing.delete_block(_block(section), actor=ewan, now=now)
    page = client.post(f"{WRITE}/{section}", data=_typed("My week"))
    assert page.status_code == 409
    assert "Ewan Marsh deleted this section while you were writing." in page.text
    client.post(f"{WRITE}/{section}/both", data=_typed("My week"))
    db.session.expire_all()
    assert [block.data.get("heading") for block in db.session.get_one(Issue, issue.id).blocks][2] == "My week"
    assert _block(section).deleted_at is not None


def test_a_kind_that_stands_once_leaves_its_words_in_an_ordinary_section(
    client: FlaskClient, issue: Issue, ewan: Account, now: datetime
) -> None:
    call = desk.block_id(issue, "call")
    with transaction():
        block = _block(call)
        editing.edit_block(block, {**block.data, "heading": "Write to us"}, expected_version=1, actor=ewan, now=now)
    assert client.post(f"{WRITE}/{call}/both", data={"d.heading": "Send <b>your</b> news"}).status_code == 303
    db.session.expire_all()
    blocks = db.session.get_one(Issue, issue.id).blocks
    at = next(number for number, block in enumerate(blocks) if str(block.id) == call)
    assert blocks[at].data["heading"] == "Write to us"
    assert blocks[at + 1].kind == "section"
    assert "Send &lt;b&gt;your&lt;/b&gt; news" in blocks[at + 1].data["body"]


def test_keeping_both_can_be_undone(client: FlaskClient, issue: Issue, ewan: Account, now: datetime) -> None:
    section = desk.block_id(issue, "section")
    before = len(issue.blocks)
    client.post(f"{WRITE}/{section}/both", data=_typed("My week"))
    last = versions.latest(issue)
    assert last is not None
    assert client.post(f"/desk/issues/january-2027/history/{last.number}/undo").status_code == 303
    db.session.expire_all()
    assert len(db.session.get_one(Issue, issue.id).blocks) == before


# --- the preview of what is typed --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["html", "text", "web"])
def test_typed_words_are_previewed_and_not_saved(client: FlaskClient, issue: Issue, form: str) -> None:
    section = desk.block_id(issue, "section")
    page = client.post(
        f"/desk/issues/january-2027/preview/{form}/{section}", data=_typed("Otters", "Two **otters** in the weir.")
    )
    assert page.status_code == 200
    assert "Otters" in page.text or "OTTERS" in page.text
    assert "in the weir." in page.text
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert _block(section).version == 1


def test_each_section_is_marked_for_the_desk_alone(client: FlaskClient, issue: Issue) -> None:
    for form in ("html", "web"):
        marked = client.get(f"/desk/issues/january-2027/preview/{form}?marks=1").text
        for kind in ("section", "contact", "call"):
            assert f'data-block="{desk.block_id(issue, kind)}"' in marked, (form, kind)
        assert "in--" not in marked
        assert "data-block" not in client.get(f"/desk/issues/january-2027/preview/{form}").text
    assert "data-block" not in render_issue(issue).html


def test_marks_change_nothing_else_in_the_mail(client: FlaskClient, issue: Issue) -> None:
    marked = client.get("/desk/issues/january-2027/preview/html?marks=1").text
    plain = client.get("/desk/issues/january-2027/preview/html").text
    bare = re.sub(r' data-block="[^"]*"', "", marked).replace(' class=""', "").replace(' class="-outlook"', "")
    assert bare == plain


def test_words_that_cannot_be_read_leave_the_preview_as_it_was_saved(client: FlaskClient, issue: Issue) -> None:
    section = desk.block_id(issue, "section")
    page = client.post(f"/desk/issues/january-2027/preview/html/{section}", data={"d.heading": "x" * 100_000})
    assert page.status_code == 200
    masthead = desk.block_id(issue, "masthead")
    page = client.post(f"/desk/issues/january-2027/preview/html/{masthead}", data={"d.audience": "Everybody"})
    assert page.status_code == 200
