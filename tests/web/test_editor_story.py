"""Ruth begins an issue, writes it, has it checked, tested and approved, and schedules it: page by page."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from newsletter.db import db
from newsletter.models import Approval, Block, Issue, TestSend
from newsletter.states import IssueState, Role
from tests import people
from tests.web import desk


@pytest.fixture(autouse=True)
def _at_work(now: datetime) -> object:
    """The clock stands at the Larkmere present."""
    with time_machine.travel(now, tick=False):
        yield


def _issue(slug: str = "january-2027") -> Issue:
    db.session.expire_all()
    return db.session.query(Issue).filter_by(slug=slug).one()


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_an_empty_desk_says_what_to_do(client: FlaskClient, now: datetime) -> None:
    desk.ruth(client, now)
    assert "There is no list yet" in client.get("/desk").text
    people.larkmere(now)
    for path, words in (
        ("/desk", "No issue is under way"),
        ("/desk/issues", "No issue yet"),
        ("/desk/contributions", "Nothing has come in yet"),
        ("/desk/subscribers", "Nobody is subscribed yet"),
    ):
        page = client.get(path)
        assert page.status_code == 200, path
        assert words in page.text, path


def test_ruth_begins_an_issue(client: FlaskClient, now: datetime) -> None:
    desk.ruth(client, now)
    people.larkmere(now)
    answer = client.post(
        "/desk/issues/new",
        data={
            "list": "safeguarding-news", "title": "January 2027", "planned_day": "Thursday 28 January 2027",
            "planned_time": "10am", "deadline_day": "15/1/2027", "deadline_time": "5pm",
        },
    )  # fmt: skip
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/desk/issues/january-2027"
    issue = _issue()
    assert issue.planned_at == datetime(2027, 1, 28, 10, tzinfo=UTC)
    assert issue.deadline is not None
    assert issue.deadline.words == "5pm, Friday 15 January 2027"
    page = client.get("/desk/issues/january-2027").text
    assert "It is planned for 10am, Thursday 28 January 2027." in page
    assert "Cannot start yet" in page


def test_what_cannot_be_a_date_is_said_at_its_field_and_all_words_stay(client: FlaskClient, now: datetime) -> None:
    desk.ruth(client, now)
    people.larkmere(now)
    answer = client.post(
        "/desk/issues/new",
        data={
            "list": "safeguarding-news", "title": "January 2027", "planned_day": "Monday 28 January 2027",
            "planned_time": "10am", "deadline_day": "soon", "deadline_time": "teatime",
        },
    )  # fmt: skip
    assert answer.status_code == 422
    assert "<title>Error: Begin an issue" in answer.text
    assert '<a href="#planned_day">That day is a Thursday. Check the date</a>' in answer.text
    assert '<a href="#deadline_time">Enter a time, such as 5pm or 10:30am</a>' in answer.text
    assert 'value="January 2027"' in answer.text
    assert 'value="teatime"' in answer.text
    assert db.session.query(Issue).count() == 0


def test_a_time_that_comes_twice_is_asked_about(client: FlaskClient, now: datetime) -> None:
    desk.ruth(client, now)
    people.larkmere(now)
    form = {
        "list": "safeguarding-news", "title": "Autumn 2027", "deadline_day": "31 October 2027",
        "deadline_time": "1:30am",
    }  # fmt: skip
    asked = client.post("/desk/issues/new", data=form)
    assert asked.status_code == 422
    assert "this time comes twice" in asked.text
    answered = client.post("/desk/issues/new", data={**form, "deadline_fold": "earlier"}, follow_redirects=True)
    assert "The deadline is on a Sunday: 1:30am, Sunday 31 October 2027 (UK time)." in answered.text
    assert _issue("autumn-2027").deadline_at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_ruth_writes_a_section(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    issue = desk.january(now, people.larkmere(now), account)
    section = desk.block_id(issue, "section")
    page = client.get(f"/desk/issues/january-2027/write/{section}").text
    assert "We will run four practice days in March." in page
    assert "<p>We will run" not in page  # lines to type in, not tags
    saved = client.post(
        f"/desk/issues/january-2027/write/{section}",
        data={
            "expected": "1", "d.heading": "Practice week", "d.source_agency": "County council",
            "d.body": "Bring:\n- your timetable\n- **one** case", "c.audience_note": "Team managers", "c.where": "both",
        },
    )  # fmt: skip
    assert saved.status_code == 303
    block = db.session.get_one(Block, UUID(section))
    assert block.data["body"] == "<p>Bring:</p><ul><li>your timetable</li><li><strong>one</strong> case</li></ul>"
    assert (block.version, block.audience_note) == (2, "Team managers")
    assert "Saved at" in client.get(saved.headers["Location"]).text


def test_two_people_one_section_and_no_text_is_lost(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    issue = desk.january(now, people.larkmere(now), account)
    section = desk.block_id(issue, "section")
    url = f"/desk/issues/january-2027/write/{section}"
    client.post(url, data={"expected": "1", "d.heading": "Practice week", "d.body": "Ewan’s words."})
    answer = client.post(url, data={"expected": "1", "d.heading": "Practice week", "d.body": "Ruth’s words."})
    assert answer.status_code == 409
    assert "[only here:] Ewan’s [end] words." in _words(answer.text)
    assert "[only here:] Ruth’s [end] words." in _words(answer.text)
    # Keeping mine is one button: its form carries what I typed and the version that stands now.
    assert 'name="expected" value="2"' in answer.text
    assert 'name="d.body" value="Ruth’s words."' in answer.text


def test_a_section_just_added_is_not_blamed_for_being_empty(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    made = client.post("/desk/issues/january-2027/write/add", data={"kind": "section"})
    address, _, begun = made.location.partition("#")
    page = client.get(address).text
    assert "Before this is sent" not in page
    assert f'id="{begun}" name="d.heading"' in page

    saved = client.post(address, data={"expected": "1", "d.heading": "News", "d.body": ""}, follow_redirects=True)
    assert "Before this is sent" in saved.text


def test_a_list_of_findings_grows_and_moves_by_buttons(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    made = client.post("/desk/issues/january-2027/write/add", data={"kind": "findings"})
    url = made.headers["Location"].partition("#")[0]
    fields = {"d.heading": "What we found", "d.items.0.subheading": "Timelines", "d.items.0.text": "Kept."}
    added = client.post(url, data={"expected": "1", "do": "add:items", **fields})
    page = client.get(added.headers["Location"]).text
    assert 'name="d.items.1.subheading"' in page  # an empty one to write in
    fields |= {"d.items.1.subheading": "Plans", "d.items.1.text": "They name a person."}
    moved = client.post(url, data={"expected": "2", "do": "up:items.1", **fields})
    assert moved.headers["Location"].endswith("#e-items-0")
    block = next(each for each in _issue().blocks if each.kind == "findings")
    assert [item["subheading"] for item in block.data["items"]] == ["Plans", "Timelines"]
    client.post(url, data={"expected": "3", "do": "remove:items.0", **_posted(block)})
    block = next(each for each in _issue().blocks if each.kind == "findings")
    assert [item["subheading"] for item in block.data["items"]] == ["Timelines"]


def _posted(block: Block) -> dict[str, str]:
    items = enumerate(block.data["items"])
    return {"d.heading": block.data["heading"]} | {
        f"d.items.{number}.{name}": item[name] for number, item in items for name in ("subheading", "text")
    }


def test_sections_move_and_are_deleted_and_come_back(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    issue = desk.january(now, people.larkmere(now), account)
    contact = desk.block_id(issue, "contact")
    url = f"/desk/issues/january-2027/write/{contact}"
    up = client.post(f"{url}/move", data={"way": "up"})
    page = client.get(up.headers["Location"]).text
    assert "Who to ask, now 3 of 7" in page
    assert [block.kind for block in _issue().blocks][2:4] == ["contact", "section"]
    gone = client.post(f"{url}/delete")
    page = client.get(gone.headers["Location"]).text
    assert "Deleted ‘Who to ask’." in page
    assert "contact" not in [block.kind for block in _issue().blocks]
    client.post(f"{url}/undo")
    assert [block.kind for block in _issue().blocks][2] == "contact"


def test_the_palette_says_what_is_there_already(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    page = client.get("/desk/issues/january-2027/write/add").text
    assert "In this issue already." in page
    assert re.search(r'value="call" disabled', page)
    assert not re.search(r'value="masthead"', page)
    refused = client.post("/desk/issues/january-2027/write/add", data={"kind": "call"})
    assert refused.status_code == 422


def test_a_document_is_shown_before_it_is_added(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    text = "Peer mentors\n\nOakfield has trained twelve mentors.\n\nHelpline hours\n\nThe helpline opens at 8am.\n"
    found = client.post("/desk/issues/january-2027/document", data={"text": text})
    assert found.status_code == 303
    assert "2 sections were found" in client.get(found.headers["Location"]).text
    before = len(_issue().blocks)
    added = client.post(found.headers["Location"], data={"do": "add"})
    assert added.status_code == 303
    assert len(_issue().blocks) == before + 2
    assert "2 sections were added." in client.get(added.headers["Location"]).text


def _upload(content: bytes) -> bytes:
    """A form with a file and a text, as a browser sends it."""
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="news.txt"\r\n\r\n'
    return head + content + b'\r\n--cut\r\nContent-Disposition: form-data; name="text"\r\n\r\nkept\r\n--cut--\r\n'


@pytest.mark.parametrize("content", [b"", b"a\0b", b"x" * (2 * 1024 * 1024 + 10)])
def test_a_bad_file_is_refused_in_words(client: FlaskClient, now: datetime, content: bytes) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    before = len(_issue().blocks)
    answer = client.post(
        "/desk/issues/january-2027/document", data=_upload(content), content_type="multipart/form-data; boundary=cut"
    )
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert "kept" in answer.text
    assert len(_issue().blocks) == before


def test_checks_name_what_stops_the_issue_and_lead_to_the_field(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    issue = desk.january(now, people.larkmere(now), account)
    contact = desk.block_id(issue, "contact")
    client.post(
        f"/desk/issues/january-2027/write/{contact}",
        data={"expected": "1", "d.heading": "Who to ask", "d.name": "Bethan Price"},
    )
    page = client.get("/desk/issues/january-2027/checks").text
    assert "1 thing stops this issue" in page
    assert f"/desk/issues/january-2027/write/{contact}#d-" in page
    outline = client.get("/desk/issues/january-2027/write").text
    assert "1 thing to mend" in outline


def test_it_is_right_is_remembered(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    issue = desk.january(now, people.larkmere(now), account)
    section = desk.block_id(issue, "section")
    client.post(
        f"/desk/issues/january-2027/write/{section}",
        data={"expected": "1", "d.heading": "Practice week", "d.body": "We know that the the plans work."},
    )
    page = client.get("/desk/issues/january-2027/checks").text
    key = re.search(r'name="key" value="(repeated_word-[0-9a-f]+)"', page)
    assert key
    said = client.post("/desk/issues/january-2027/checks/pass", data={"key": key[1]}, follow_redirects=True)
    assert "You said it is right: A word is repeated." in said.text


def test_the_fault_is_marked_in_its_words(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    issue = desk.january(now, people.larkmere(now), account)
    section = desk.block_id(issue, "section")
    body = "We measure the risk and, and it falls. Courses run October - March 2027 in the lakeside centre."
    client.post(
        f"/desk/issues/january-2027/write/{section}",
        data={"expected": "1", "d.heading": "Practice week", "d.body": body},
    )
    page = client.get("/desk/issues/january-2027/checks").text
    assert "<mark>and, and</mark>" in page
    assert "<mark>October - March 2027</mark>" in page
    assert page.count("We suggest “October 2026 to March 2027”.") == 1


def test_from_test_email_to_a_schedule_and_back(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, 712)
    desk.january(now, mailing_list, account)
    test = client.get("/desk/issues/january-2027/test").text
    assert "ruth@example.org" in test
    sent = client.post("/desk/issues/january-2027/test", data={"known": "ruth@example.org"})
    assert sent.status_code == 303
    assert db.session.query(TestSend).count() == 1

    ewan = people.staff(now, "Ewan Marsh", Role.APPROVER)
    client.post("/desk/issues/january-2027/submit")
    assert _issue().state is IssueState.IN_REVIEW
    people.sign_in(client, ewan)
    page = client.get("/desk/issues/january-2027/approval").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    client.post("/desk/issues/january-2027/approve", data={"version": version[1]})
    assert _issue().state is IssueState.APPROVED
    assert db.session.query(Approval).one().approver_name == "Ewan Marsh"

    page = client.get("/desk/issues/january-2027/schedule").text
    assert "Schedule January 2027 for 712 people" in _words(page)
    assert "10am, Thursday 28 January 2027" in page
    scheduled = client.post(
        "/desk/issues/january-2027/schedule",
        data={
            "planned_day": "Thursday 28 January 2027",
            "planned_time": "10am",
            "do": "schedule",
            "version": _issue().content_version,
        },
        follow_redirects=True,
    )
    assert "January 2027 goes out to 712 people" in _words(scheduled.text)
    assert _issue().state is IssueState.SCHEDULED
    locked = client.get("/desk/issues/january-2027/write").text
    assert "Cancel the schedule to change its words." in locked
    assert 'name="d.' not in locked
    client.post("/desk/issues/january-2027/schedule/cancel")
    assert _issue().state is IssueState.APPROVED
    again = _words(client.get("/desk/issues/january-2027").text)
    assert "Schedule it" in again
    assert "Continue writing" not in again


def test_send_now_waits_ten_minutes(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, 1)
    issue = desk.january(now, mailing_list, account)
    desk.approve(issue, people.staff(now, "Ewan Marsh", Role.APPROVER), now)
    typed = {"do": "now", "version": _issue().content_version}
    page = client.post("/desk/issues/january-2027/schedule", data=typed, follow_redirects=True).text
    assert "January 2027 goes out to 1 person" in _words(page)
    assert _issue().scheduled_at == now + timedelta(minutes=10)


def test_a_time_too_near_is_refused_in_words(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, 1)
    issue = desk.january(now, mailing_list, account)
    desk.approve(issue, people.staff(now, "Ewan Marsh", Role.APPROVER), now)
    near = {"planned_day": "7 December 2026", "planned_time": "10:05am"}
    answer = client.post("/desk/issues/january-2027/schedule", data=near)
    assert answer.status_code == 422
    assert "at least 15 minutes from now" in answer.text


def test_an_approver_returns_it_with_a_comment(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    client.post("/desk/issues/january-2027/submit")
    people.sign_in(client, people.staff(now, "Ewan Marsh", Role.APPROVER))
    assert "Read and approve January 2027" in client.get("/desk").text
    assert "Read it" in _words(client.get("/desk/issues/january-2027").text)
    without = client.post("/desk/issues/january-2027/return", data={"comment": " "})
    assert without.status_code == 422
    assert "Say what should change" in without.text
    client.post("/desk/issues/january-2027/return", data={"comment": "Name the four days."})
    assert _issue().state is IssueState.DRAFT
    assert "Name the four days." in client.get("/desk/issues/january-2027/approval").text


def test_words_that_changed_while_reading_are_not_approved(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    people.sign_in(client, people.staff(now, "Ewan Marsh", Role.APPROVER))
    page = client.post("/desk/issues/january-2027/approve", data={"version": "1"}, follow_redirects=True).text
    assert "The words changed while you were reading." in page
    assert _issue().state is IssueState.DRAFT


def test_a_viewer_reads_and_changes_nothing(client: FlaskClient, now: datetime) -> None:
    account = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
    issue = desk.january(now, people.larkmere(now), account)
    people.sign_in(client, people.staff(now, "Vera Lund", Role.VIEWER))
    section = desk.block_id(issue, "section")
    page = client.get(f"/desk/issues/january-2027/write/{section}")
    assert page.status_code == 200
    assert "<textarea" not in page.text
    assert "You may read them. Editors change them." in page.text
    quarter = client.get("/desk").text
    assert "Read it so far" in quarter
    assert "Continue writing" not in quarter
    assert 'href="/desk/issues/january-2027/test"' not in client.get("/desk/issues/january-2027/checks").text
    answer = client.post(f"/desk/issues/january-2027/write/{section}", data={"expected": "1", "d.heading": "Mine"})
    assert answer.status_code == 403
    assert client.post("/desk/issues/january-2027/approve", data={"version": "1"}).status_code == 403


def test_the_preview_runs_nothing_and_loads_nothing_of_others(client: FlaskClient, now: datetime) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    for form in ("html", "text", "web"):
        answer = client.get(f"/desk/issues/january-2027/preview/{form}")
        assert answer.status_code == 200, form
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("sandbox allow-same-origin; default-src 'none'")
        assert "script-src" not in policy
        assert "{unsubscribe_url}" not in answer.text


def test_a_renamed_issue_leads_on(client: FlaskClient, now: datetime, app: Flask) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    client.post(
        "/desk/issues/january-2027/frame",
        data={
            "title": "January 2027", "slug": "winter-2027", "subject": "Winter", "preheader": "More",
            "planned_day": "28 January 2027", "planned_time": "10am", "deadline_day": "15 January 2027",
            "deadline_time": "5pm", "next_title": "April 2027", "next_day": "16 April 2027", "next_time": "5pm",
        },
    )  # fmt: skip
    answer = client.get("/desk/issues/january-2027/checks")
    assert answer.status_code == 301
    assert answer.headers["Location"] == "/desk/issues/winter-2027/checks"


@pytest.mark.parametrize(
    "path",
    [
        "/desk/issues/%00", "/desk/issues/january-2027/write?deleted=x&more=%00&look=%00&deadline=soon",
        "/desk/issues/january-2027/frame?next=%00", "/desk/issues/january-2027/write/add?after=nothing",
        "/desk/subscribers?q=%00&after=%00&state=%00&list=%00", "/desk/contributions?issue=%00",
        "/desk/contributions/%00",
        "/desk/issues/new?list=%00", "/news/%00", "/news?list=%00",
    ],
)  # fmt: skip
def test_a_mangled_address_is_answered_in_words(client: FlaskClient, now: datetime, path: str) -> None:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    assert client.get(path).status_code in (200, 404)


@pytest.mark.parametrize(
    ("where", "data"),
    [
        ("", {}),
        ("", {"expected": "x", "d.heading": "\0", "d.body": "\x00\u202e<script>"}),
        ("", {"expected": "9" * 40, "do": "up:items.0.1.2"}),
        ("/move", {"way": "sideways"}),
        ("/level", {"number": "99"}),
    ],
)
def test_a_mangled_form_is_answered_in_words(
    client: FlaskClient, now: datetime, where: str, data: dict[str, str]
) -> None:
    account = desk.ruth(client, now)
    issue = desk.january(now, people.larkmere(now), account)
    section = desk.block_id(issue, "section")
    answer = client.post(f"/desk/issues/january-2027/write/{section}{where}", data=data)
    assert answer.status_code in (303, 404, 409, 422)
