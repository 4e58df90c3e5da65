"""What anybody may read: the front page, past issues, one issue, the feed, pictures."""

import hashlib
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.delivery.launch import launch
from newsletter.domain.issues import creating
from newsletter.models import Issue, MailingList, Media, SlugRedirect
from newsletter.states import IssueState, Role
from tests import people
from tests.web import desk

_ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def _today(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


def _sent(now: datetime, mailing_list: MailingList) -> Issue:
    """January 2027, written, approved, scheduled, and launched: out."""
    ruth = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
    issue = desk.january(now, mailing_list, ruth)
    desk.approve(issue, people.staff(now, "Ewan Marsh", Role.APPROVER), now)
    desk.schedule(issue, ruth, now, now + timedelta(hours=1))
    with time_machine.travel(now + timedelta(hours=1), tick=False):
        assert launch(issue.id, now + timedelta(hours=1))
    return issue


@pytest.fixture
def out(now: datetime) -> Issue:
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, 2)
    return _sent(now, mailing_list)


def test_a_new_installation_says_so(client: FlaskClient) -> None:
    assert "This newsletter is being set up" in client.get("/").text
    assert "Nothing has gone out yet" in client.get("/news").text
    assert client.get("/feed.atom").status_code == 404


def test_before_the_first_issue_people_can_sign_up(client: FlaskClient, now: datetime) -> None:
    people.larkmere(now)
    page = client.get("/").text
    assert "The first issue is on its way" in page
    assert "Get it by email" in page


def test_drafts_are_nobodys_business(client: FlaskClient, now: datetime) -> None:
    ruth = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
    desk.january(now, people.larkmere(now), ruth)
    draft, nothing = client.get("/news/january-2027"), client.get("/news/no-such-issue")
    assert (draft.status_code, nothing.status_code) == (404, 404)
    assert draft.text.replace("january-2027", "") == nothing.text.replace("no-such-issue", "")
    for path in ("/", "/news", "/feed.atom"):  # that news is wanted for it may be known, and no more
        page = client.get(path).text
        assert "/news/january-2027" not in page, path
        assert "practice" not in page, path


def test_an_issue_that_is_out(client: FlaskClient, out: Issue) -> None:
    page = client.get("/news/january-2027")
    assert page.status_code == 200
    assert "We will run four practice days in March." in page.text
    assert '<link rel="canonical" href="https://news.example.org/news/january-2027">' in page.text
    assert page.text.count("<h1") == 1
    assert "noindex" not in page.text
    assert "X-Robots-Tag" not in page.headers
    assert "Set-Cookie" not in page.headers
    assert "unsubscribe" not in page.text
    assert '<a class="govuk-link" href="/subscribe">Get Safeguarding news</a>' in page.text
    assert "January 2027" in client.get("/").text
    listed = client.get("/news").text
    assert "Every issue since January 2027." in " ".join(listed.split())
    assert "Four practice days in March" in listed


def test_an_address_it_once_had_leads_on(client: FlaskClient, out: Issue) -> None:
    with transaction() as session:
        session.add(SlugRedirect(slug="winter-2027", issue_id=out.id))
    answer = client.get("/news/winter-2027")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/news/january-2027")


def test_the_deadline_lives(client: FlaskClient, out: Issue, now: datetime) -> None:
    page = client.get("/news/january-2027").text
    assert page.count("app-dead__when") == 1
    assert "The deadline for April 2027 is" in page
    assert "5pm, Friday 16 April 2027" in page
    assert "data-closes-in=" in page
    assert "/contribute/april-2027" in page

    with transaction():
        creating.change_deadline(
            _april(), Deadline.of(date(2027, 4, 30), time(17), "Europe/London"), actor=None, now=now
        )
    moved = client.get("/news/january-2027").text
    assert '<strong class="app-dead__when">5pm, Friday 30 April 2027</strong>' in moved
    assert "Something to share? The deadline" not in moved  # what was printed is no longer true

    with time_machine.travel(datetime(2027, 4, 30, 16, 0, 59, tzinfo=UTC), tick=False):
        assert "It is today." in client.get("/news/january-2027").text
    with time_machine.travel(datetime(2027, 4, 30, 16, 1, tzinfo=UTC), tick=False):
        closed = client.get("/news/january-2027").text
    assert "It is closed." in closed
    assert "You can also write to" not in closed
    assert "/contribute/april-2027" not in closed
    assert "data-closes-in=" not in closed


def _april() -> Issue:
    return db.session.query(Issue).filter_by(slug="april-2027").one()


def test_the_feed_is_atom(client: FlaskClient, out: Issue) -> None:
    answer = client.get("/feed.atom")
    assert answer.mimetype == "application/atom+xml"
    feed = ET.fromstring(answer.data)
    assert feed.tag == f"{_ATOM}feed"
    for needed in ("id", "title", "updated"):  # RFC 4287, 4.1.1
        assert feed.findtext(_ATOM + needed)
    assert feed.findtext(f"{_ATOM}author/{_ATOM}name") == "Larkmere Safeguarding Children Partnership"
    [entry] = feed.findall(f"{_ATOM}entry")
    assert entry.findtext(f"{_ATOM}id") == "https://news.example.org/news/january-2027"
    assert entry.findtext(f"{_ATOM}title") == "January 2027"
    assert datetime.fromisoformat(str(entry.findtext(f"{_ATOM}updated"))).tzinfo is not None
    content = entry.find(f"{_ATOM}content")
    assert content is not None
    assert content.get("type") == "html"
    assert "<p>We will run four practice days in March.</p>" in str(content.text)


def test_hostile_words_stay_words_in_the_feed(client: FlaskClient, out: Issue) -> None:
    with transaction():
        issue = db.session.get_one(Issue, out.id)
        issue.title, issue.preheader = '</title><script>&"', "]]> & <b>"
    feed = ET.fromstring(client.get("/feed.atom").data)
    entry = feed.find(f"{_ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{_ATOM}title") == '</title><script>&"'
    assert entry.findtext(f"{_ATOM}summary") == "]]> & <b>"


def test_a_list_that_is_not_public_is_not_shown(client: FlaskClient, out: Issue) -> None:
    with transaction():
        db.session.get_one(MailingList, out.list_id).public = False
    assert client.get("/news/january-2027").status_code == 404
    assert "January 2027" not in client.get("/news").text
    assert ET.fromstring(client.get("/feed.atom").data).find(f"{_ATOM}entry") is None


def test_an_open_call_is_on_the_front_page_until_it_closes(client: FlaskClient, now: datetime) -> None:
    ruth = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
    issue = desk.january(now, people.larkmere(now), ruth)
    page = client.get("/").text
    assert "Have news for January 2027? Send it by" in page
    assert "April 2027" not in page  # one call a list: the nearest
    assert issue.deadline is not None
    with time_machine.travel(issue.deadline.closes_at, tick=False):
        assert "Have news for January 2027?" not in client.get("/").text


def _picture(now: datetime, content_type: str = "image/png") -> Media:
    body = b"\x89PNG\r\n\x1a\n and so on"
    with transaction() as session:
        media = Media(
            name="k3f9x2.png",
            content_type=content_type,
            width=1200,
            height=800,
            size=len(body),
            sha256=hashlib.sha256(body).digest(),
            body=body,
            created_at=now,
        )
        session.add(media)
    return media


def test_a_picture_is_cached_for_good(client: FlaskClient, now: datetime) -> None:
    _picture(now)
    answer = client.get("/media/k3f9x2.png")
    assert answer.data.startswith(b"\x89PNG")
    assert answer.mimetype == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, immutable, max-age=31536000"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Content-Disposition"] == 'inline; filename="picture.png"'
    assert "Set-Cookie" not in answer.headers
    again = client.get("/media/k3f9x2.png", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["none.png", "..%2f..%2fetc%2fpasswd", "%00", "x" * 300])
def test_what_is_no_picture_is_not_found(client: FlaskClient, now: datetime, name: str) -> None:
    _picture(now)
    assert client.get(f"/media/{name}").status_code == 404


def test_what_could_run_is_never_served(client: FlaskClient, now: datetime) -> None:
    _picture(now, "image/svg+xml")
    assert client.get("/media/k3f9x2.png").status_code == 404


def test_a_cancelled_sending_keeps_its_page(client: FlaskClient, out: Issue, now: datetime) -> None:
    with transaction():
        issue = db.session.get_one(Issue, out.id)
        issue.state, issue.cancelled_at = IssueState.CANCELLED, now
    assert client.get("/news/january-2027").status_code == 200
