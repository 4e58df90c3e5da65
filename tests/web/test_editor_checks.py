"""Ruth looks at the checks: she goes to what is named, has some of it mended with one click, takes that back, and says
why something is right."""

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import editing
from newsletter.domain.issues.checking import asking
from newsletter.domain.issues.checking.reach import Answer
from newsletter.models import Activity, Issue, LinkCheck
from newsletter.states import IssueState, LinkState, Role
from tests import people
from tests.web import desk

#: The web reads the clock itself, and an undo is offered for ten minutes: these stories happen now.
NOW = clock.now() - timedelta(minutes=30)
CHECKS = "/desk/issues/january-2027/checks"


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def issue(client: FlaskClient, now: datetime) -> Issue:
    account = desk.ruth(client, now)
    return desk.january(now, people.larkmere(now), account)


def _write(issue: Issue, now: datetime, body: str) -> None:
    section = editing.find_block(issue, desk.block_id(issue, "section"))
    with transaction():
        editing.edit_block(
            section, {**section.data, "body": body}, expected_version=section.version, actor=None, now=now
        )


def _body() -> str:
    issue = db.session.query(Issue).filter_by(slug="january-2027").one()
    db.session.refresh(issue)
    return str(editing.find_block(issue, desk.block_id(issue, "section")).data["body"])


def _key(page: str, code: str) -> str:
    found = re.search(rf'name="key" value="({code}-[0-9a-f]+)"', page)
    assert found, code
    return found[1]


def test_all_is_well(client: FlaskClient, issue: Issue) -> None:
    page = client.get(CHECKS).text
    assert "Nothing stops this issue" in page
    assert "All is well" in page
    assert "Send a test email" in page
    assert "Ask for all links again" in page


def test_each_finding_says_where_why_and_how_and_leads_there(client: FlaskClient, issue: Issue, now: datetime) -> None:
    _write(issue, now, "<p>Write to us by email:</p><p>Courses run October - March 2097.</p>")
    page = client.get(CHECKS).text
    section = desk.block_id(issue, "section")
    assert "1 thing stops this issue" in page
    assert "In “Practice week”, section" in page
    assert "People who want to reply would have nowhere to go." in page
    assert "Write the address or number behind it, or reword the sentence." in page
    assert f"/desk/issues/january-2027/write/{section}#d-body" in page
    assert page.index("Ways to answer") < page.index("Worth a look") < page.index("Dates")


def test_one_click_mends_and_one_takes_it_back(client: FlaskClient, issue: Issue, now: datetime) -> None:
    _write(issue, now, "<p>We know the <strong>risk</strong> and, and it falls.</p>")
    page = client.get(CHECKS).text
    assert "“Fix it” does this: Keep one “and”." in page
    done = client.post(f"{CHECKS}/fix", data={"key": _key(page, "repeated_word")}, follow_redirects=True).text
    assert _body() == "<p>We know the <strong>risk</strong> and it falls.</p>"
    undo = re.search(r'action="([^"]+/undo)"', done)
    assert undo
    assert "“Practice week” was mended." in done
    client.post(undo[1])
    assert _body() == "<p>We know the <strong>risk</strong> and, and it falls.</p>"


def test_all_that_is_safe_is_mended_at_once_and_the_rest_is_left_to_people(
    client: FlaskClient, issue: Issue, now: datetime
) -> None:
    _write(
        issue, now,
        "<p>It is is so, October - March 2097, on "
        "<a href='https://larkmere.gov.uk/a?utm_source=x&amp;b=1'>the page of the year</a>.</p>"
        "<ul><li>early help.</li><li>attendance</li><li><strong>whole</strong> families;</li></ul>",
    )  # fmt: skip
    assert "Fix the 3 that are safe" in client.get(CHECKS).text
    done = client.post(f"{CHECKS}/fix", follow_redirects=True).text
    assert "“Practice week” was mended." in done
    assert _body() == (
        '<p>It is so, October - March 2097, on <a href="https://larkmere.gov.uk/a?b=1">the page of the year</a>.</p>'
        "<ul><li>early help</li><li>attendance</li><li><strong>whole</strong> families</li></ul>"
    )
    assert "These dates could be read two ways." in done
    client.post(f"{CHECKS}/fix", data={"key": _key(done, "ambiguous_range")})
    assert "October 2096 to March 2097" in _body()


def test_words_that_changed_meanwhile_are_not_mended(client: FlaskClient, issue: Issue, now: datetime) -> None:
    _write(issue, now, "<p>It is is so.</p>")
    key = _key(client.get(CHECKS).text, "repeated_word")
    _write(issue, now, "<p>It was so.</p>")
    assert client.post(f"{CHECKS}/fix", data={"key": key}).status_code == 404
    assert "changed since" in client.post(f"{CHECKS}/fix", follow_redirects=True).text
    assert _body() == "<p>It was so.</p>"


def test_what_looks_like_a_person_is_passed_by_name_and_with_a_reason(
    client: FlaskClient, issue: Issue, now: datetime
) -> None:
    _write(issue, now, "<p>The form has the number 999 123 4578 on it.</p>")
    page = client.get(CHECKS).text
    assert "This looks like an NHS number." in page
    assert "4578" not in page
    key = _key(page, "nhs_number")
    refused = client.post(f"{CHECKS}/pass", data={"key": key, "reason": "  "})
    assert refused.status_code == 422
    assert "Say why these words may be published." in refused.text
    assert 'aria-invalid="true"' in refused.text
    said = client.post(f"{CHECKS}/pass", data={"key": key, "reason": "A made-up number."}, follow_redirects=True).text
    assert "You said it is right: This looks like an NHS number." in said
    entry = db.session.query(Activity).filter_by(action="check.passed").one()
    assert (entry.actor_name, entry.detail["reason"]) == ("Ruth Adeyemi", "A made-up number.")
    assert "4578" not in str(entry.detail)


def test_a_dead_link_is_named_and_all_are_asked_for_again(
    app: Flask, client: FlaskClient, issue: Issue, now: datetime
) -> None:
    _write(issue, now, "<p>See <a href='https://larkmere.gov.uk/gone'>the guide to the year</a>.</p>")
    assert "1 link has not been asked for yet" in client.get(CHECKS).text
    asking.check_due_links(
        now + timedelta(minutes=2), asking=lambda _url: Answer(LinkState.UNREACHABLE, "There is no such website.")
    )
    page = client.get(CHECKS).text
    assert "This link leads nowhere." in page
    assert "There is no such website." in page
    assert "Look again in a minute." in client.post(f"{CHECKS}/links", follow_redirects=True).text
    assert db.session.query(LinkCheck).count() == 0


def test_a_list_that_promises_a_help_line_has_one(client: FlaskClient, issue: Issue, now: datetime) -> None:
    with transaction():
        issue.mailing_list.requires_help_line = True
    page = client.get(CHECKS).text
    assert "No section says whom to ring when somebody is in danger." in page
    assert 'href="/desk/issues/january-2027/write/add' in page
    _write(issue, now, "<p>If you are worried about a child, ring 0808 157 0100, or 999 in an emergency.</p>")
    assert "Nothing stops this issue" in client.get(CHECKS).text


def test_a_viewer_looks_and_mends_nothing(client: FlaskClient, issue: Issue, now: datetime) -> None:
    _write(issue, now, "<p>It is is so, form 999 123 4578.</p>")
    people.sign_in(client, people.staff(now, "Vera Lund", Role.VIEWER))
    page = client.get(CHECKS).text
    assert "A word is repeated." in page
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    for act in ("fix", "pass", "links"):
        assert client.post(f"{CHECKS}/{act}", data={"key": "x"}).status_code == 403


def test_locked_words_are_not_mended(client: FlaskClient, issue: Issue, now: datetime) -> None:
    _write(issue, now, "<p>It is is so.</p>")
    key = _key(client.get(CHECKS).text, "repeated_word")
    with transaction():
        issue.state, issue.scheduled_at = IssueState.SCHEDULED, now + timedelta(days=1)
    assert client.post(f"{CHECKS}/fix", data={"key": key}).status_code in (400, 409, 422)
    assert _body() == "<p>It is is so.</p>"
