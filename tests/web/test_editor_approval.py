"""From asking for approval to a schedule, a cancel, and the correction afterwards: page by page."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.doctor.findings import Area, Finding, Health
from newsletter.doctor.record import remember
from newsletter.domain.issues import editing, reviewing
from newsletter.models import (
    Account,
    Approval,
    Correction,
    Examination,
    Issue,
    MailingList,
    Notice,
    Rendition,
    TestAddress,
)
from newsletter.states import IssueState, Role
from tests import people
from tests.web import desk

ISSUE = "/desk/issues/january-2027"


@pytest.fixture(autouse=True)
def _at_work(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def ruth(client: FlaskClient, now: datetime) -> Account:
    return desk.ruth(client, now)


@pytest.fixture
def january(ruth: Account, now: datetime) -> Issue:
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, 5)
    return desk.january(now, mailing_list, ruth)


def _issue(slug: str = "january-2027") -> Issue:
    db.session.expire_all()
    return db.session.query(Issue).filter_by(slug=slug).one()


def _told(template: str) -> list[str]:
    return [row.address for row in db.session.query(Notice).filter_by(template=template).order_by(Notice.id)]


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- asking ------------------------------------------------------------------------------------------------------


def test_ruth_chooses_whom_she_asks_and_asks_a_deputy(client: FlaskClient, january: Issue, now: datetime) -> None:
    ewan = people.staff(now, "Ewan Marsh", Role.APPROVER)
    anna = people.staff(now, "Anna Reyes", Role.APPROVER)
    page = client.get(f"{ISSUE}/approval").text
    assert "Ewan Marsh" in page
    assert "Anna Reyes" in page
    nobody = client.post(f"{ISSUE}/submit", data={"note": "zanzibar"})
    assert (nobody.status_code, "Choose who should read it" in nobody.text, "zanzibar" in nobody.text) == (
        422,
        True,
        True,
    )
    client.post(f"{ISSUE}/submit", data={"asked": [ewan.id], "note": "Before Friday."})
    assert (_issue().state, _told("approval_requested")) == (IssueState.IN_REVIEW, ["ewan@example.org"])
    page = _words(client.get(f"{ISSUE}/approval").text)
    assert "Asked: Ewan Marsh." in page
    assert "May approve instead: Anna Reyes." in page
    assert "Asked: Ewan Marsh." in _words(client.get(ISSUE).text)
    client.post(f"{ISSUE}/ask", data={"asked": [anna.id]})
    assert _told("approval_requested") == ["ewan@example.org", "anna@example.org"]
    assert client.post(f"{ISSUE}/ask", data={}).status_code == 422


def test_ewan_reads_until_when_and_afterwards_that_he_still_can(
    client: FlaskClient, january: Issue, now: datetime
) -> None:
    ewan = people.staff(now, "Ewan Marsh", Role.APPROVER)
    until = reviewing.approval_deadline(january)
    assert until is not None
    assert f"It should be approved by {until.words_with_zone}." in _words(client.get(f"{ISSUE}/approval").text)
    client.post(f"{ISSUE}/submit", data={"asked": [ewan.id], "note": ""})
    for moment, said in (
        (until.instant, f"Please decide by {until.words_with_zone}."),
        (until.closes_at, f"It should have been approved by {until.words}. It still can be"),
    ):
        with time_machine.travel(moment, tick=False):
            people.sign_in(client, ewan)
            page = _words(client.get(f"{ISSUE}/approval").text)
            assert said in page
            assert "May this go out?" in page


def test_ewan_sees_what_changed_since_he_returned_it(client: FlaskClient, january: Issue, now: datetime) -> None:
    ewan = people.staff(now, "Ewan Marsh", Role.APPROVER)
    client.post(f"{ISSUE}/comments", data={"about": "", "body": "Which days?"})
    client.post(f"{ISSUE}/submit")
    with transaction() as session:
        session.merge(january)
    client.post(f"{ISSUE}/comments", data={"about": "", "body": "Still open"})
    people.sign_in(client, ewan)
    page = client.get(f"{ISSUE}/approval").text
    assert "2 comments wait" in page
    assert "What changed since" not in page
    client.post(f"{ISSUE}/return", data={"comment": "Name the four days."})
    ruth = db.session.query(Account).filter_by(name="Ruth Adeyemi").one()
    block = next(each for each in _issue().blocks if each.kind == "section")
    with transaction():
        editing.edit_block(
            block, {"heading": "Practice week", "body": "<p>Monday to Thursday.</p>"},
            expected_version=block.version, actor=ruth, now=now,
        )  # fmt: skip
    people.sign_in(client, ruth)
    client.post(f"{ISSUE}/submit")
    people.sign_in(client, ewan)
    page = client.get(f"{ISSUE}/approval").text
    assert "What changed since it was last read for approval" in page
    assert "<ins>" in page
    version = _issue().content_version
    client.post(f"{ISSUE}/approve", data={"version": version, "comment": "Well done."})
    assert db.session.query(Approval).one().comment == "Well done."
    assert "Well done." in client.get(f"{ISSUE}/approval").text


def test_an_edit_ends_the_approval_and_every_page_of_the_issue_says_so(
    client: FlaskClient, january: Issue, ruth: Account, now: datetime
) -> None:
    desk.approve(january, people.staff(now, "Ewan Marsh", Role.APPROVER), now)
    assert "has ended" not in client.get(ISSUE).text
    block = next(each for each in _issue().blocks if each.kind == "section")
    with transaction():
        editing.edit_block(
            block, {"heading": "Practice week", "body": "<p>Monday.</p>"}, expected_version=1, actor=ruth, now=now
        )
    page = _words(client.get(ISSUE).text)
    assert "The approval by Ewan Marsh has ended." in page
    assert "Ruth Adeyemi" in page
    assert "1 section changed" in page
    assert _told("approval_ended") == ["ewan@example.org"]


# --- test addresses ----------------------------------------------------------------------------------------------


def test_a_list_has_test_addresses_to_tick(client: FlaskClient, january: Issue) -> None:
    page = "/desk/lists/safeguarding-news/test-addresses"
    client.post(page, data={"address": "outlook@example.org", "note": "opened in Outlook"})
    assert "outlook@example.org" in client.get(f"{ISSUE}/test").text
    refused = client.post(page, data={"address": "reader1@example.org"})
    assert (refused.status_code, "may get test copies" in refused.text) == (422, True)
    refused = client.post(f"{ISSUE}/test", data={"known": ["outlook@example.org"], "addresses": "reader1@example.org"})
    assert (refused.status_code, "subscribes" in refused.text) == (422, True)
    assert _told("test_issue") == []
    client.post(f"{ISSUE}/test", data={"known": ["ruth@example.org", "outlook@example.org"], "addresses": ""})
    assert _told("test_issue") == ["ruth@example.org", "outlook@example.org"]
    number = db.session.query(TestAddress).one().id
    assert client.post(f"{page}/{number}/remove").status_code == 303
    assert db.session.query(TestAddress).count() == 0


# --- schedule ----------------------------------------------------------------------------------------------------


def _ready(january: Issue, now: datetime) -> None:
    desk.approve(january, people.staff(now, "Ewan Marsh", Role.APPROVER), now)


def test_a_time_is_chosen_and_everything_read_once_more(client: FlaskClient, january: Issue, now: datetime) -> None:
    _ready(january, now)
    assert "Continue" in client.get(f"{ISSUE}/schedule?change=1").text
    typed = {"planned_day": "Friday 29 January 2027", "planned_time": "9am"}
    answer = client.post(f"{ISSUE}/schedule", data=typed)
    page = _words(answer.text)
    assert (answer.status_code, _issue().state) == (200, IssueState.APPROVED)
    for words in (
        "9am, Friday 29 January 2027", "UK time", "5 subscribers of Safeguarding news", "Schedule for 5 people",
        "January 2027: practice week, new chapters", "By Ewan Marsh", "https://news.example.org/news/january-2027",
    ):  # fmt: skip
        assert words in page, words
    stale = client.post(f"{ISSUE}/schedule", data={**typed, "do": "schedule", "version": "1"})
    assert (stale.status_code, "The words changed" in stale.text) == (422, True)
    version = _issue().content_version
    answer = client.post(f"{ISSUE}/schedule", data={**typed, "do": "schedule", "version": version})
    assert (answer.status_code, _issue().state) == (303, IssueState.SCHEDULED)


def test_what_the_doctor_found_wrong_is_told_before_somebody_sends(
    client: FlaskClient, january: Issue, now: datetime
) -> None:
    _ready(january, now)
    good = Finding(Area.NAMES, Health.GOOD, "The name of the sender is known.")
    dull = Finding(Area.RELAY, Health.WARNING, "The mail server says nothing of sizes.")
    wrong = Finding(Area.NAMES, Health.WRONG, "SPF of <example.org> does not name the mail server.", "Add it.")
    remember([good, dull, wrong], now - timedelta(days=2))
    page = client.get(f"{ISSUE}/schedule").text
    assert "SPF of &lt;example.org&gt; does not name the mail server." in page
    assert "It was found at 10am, Saturday 5 December 2026." in page
    assert "says nothing of sizes" not in page
    # The next examination stands in place of it; one of long ago says nothing about today.
    remember([good, dull], now)
    assert "does not name" not in client.get(f"{ISSUE}/schedule").text
    remember([wrong], now - timedelta(days=31))
    assert "does not name" not in client.get(f"{ISSUE}/schedule").text
    assert db.session.query(Examination).count() == 1


@pytest.mark.parametrize(
    ("day", "time", "words"),
    [
        ("28 March 2027", "1:30am", "1:30am"),
        ("31 October 2027", "1:30am", "Say which of the two times you mean"),
        ("7 December 2026", "10:05am", "at least 15 minutes from now"),
    ],
)
def test_times_that_are_not_or_come_twice_are_asked_about(
    client: FlaskClient, january: Issue, now: datetime, day: str, time: str, words: str
) -> None:
    _ready(january, now)
    answer = client.post(f"{ISSUE}/schedule", data={"planned_day": day, "planned_time": time})
    assert (answer.status_code, words in answer.text) == (422, True)
    assert "There is a problem" in answer.text
    assert _issue().state is IssueState.APPROVED


def test_a_list_without_approval_shows_none_and_is_scheduled_by_its_editor(
    client: FlaskClient, january: Issue, ruth: Account, now: datetime
) -> None:
    with transaction():
        db.session.get_one(MailingList, january.list_id).needs_approval = False
    client.post(f"{ISSUE}/test", data={"known": ["ruth@example.org"]})
    page = client.get(ISSUE).text
    assert f'{ISSUE}/approval"' not in page
    assert "you stand for it" in client.get(f"{ISSUE}/schedule").text
    client.post(f"{ISSUE}/schedule", data={"do": "now", "version": _issue().content_version})
    assert _issue().scheduled_at == now + timedelta(minutes=10)
    assert db.session.query(Approval).one().approver_name == "Ruth Adeyemi"
    client.post(f"{ISSUE}/schedule/cancel")
    assert _issue().state is IssueState.APPROVED


# --- after -------------------------------------------------------------------------------------------------------


@pytest.fixture
def out(january: Issue, now: datetime) -> Issue:
    """January, approved and on its way."""
    _ready(january, now)
    with transaction() as session:
        issue = session.get_one(Issue, january.id)
        issue.rendition_id = session.query(Rendition).one().id
        issue.state, issue.started_at, issue.published_at = IssueState.SENDING, now, now
    return issue


def test_a_correction_stands_on_the_web_page_and_in_the_feed(client: FlaskClient, out: Issue, now: datetime) -> None:
    section = desk.block_id(out, "section")
    later = now + timedelta(days=2)
    with time_machine.travel(later, tick=False):
        people.sign_in(client, db.session.query(Account).filter_by(name="Ruth Adeyemi").one())
        assert client.post(f"{ISSUE}/corrections", data={"about": section, "body": " "}).status_code == 422
        client.post(f"{ISSUE}/corrections", data={"about": section, "body": "In April, <not> March."})
        reader = client.application.test_client()
        page = reader.get("/news/january-2027").text
        assert page.count("In April, &lt;not&gt; March.") == 2
        assert page.index("Correction</h2>") < page.index("four practice days") < page.rindex("<article") + len(page)
        heading = page.index(">Practice week</h2>")
        assert heading < page.index("Corrected on Wednesday 9 December 2026") < page.index("four practice days")
        feed = reader.get("/feed.atom").text
        assert f"<updated>{later.isoformat()}</updated>" in feed
        assert "In April, &amp;lt;not&amp;gt; March." in feed
        number = db.session.query(Correction).one().id
        client.post(f"{ISSUE}/corrections/{number}/withdraw")
        assert "In April" not in reader.get("/news/january-2027").text
        assert "Withdrawn on" in client.get(f"{ISSUE}/corrections").text


def test_a_mail_about_it_is_begun_with_one_button(client: FlaskClient, out: Issue) -> None:
    answer = client.post(f"{ISSUE}/corrections", data={"about": "", "body": "In April.", "do": "mail"})
    assert answer.headers["Location"] == "/desk/issues/correction-to-january-2027"
    made = _issue("correction-to-january-2027")
    assert (made.subject, made.state) == ("Correction: January 2027: practice week, new chapters", IssueState.DRAFT)
    page = client.get("/desk/issues/correction-to-january-2027").text
    assert "Next deadline" not in page


def test_what_is_not_out_has_no_corrections(client: FlaskClient, january: Issue) -> None:
    assert "Change its words instead" in client.get(f"{ISSUE}/corrections").text
    assert client.post(f"{ISSUE}/corrections", data={"about": "", "body": "In April."}).status_code == 422
