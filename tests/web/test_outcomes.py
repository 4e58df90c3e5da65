"""Helen hears what became of her news: she reads the section, says that it is right, or suggests other words."""

import re
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.calls.decisions import confirming, triage
from newsletter.domain.calls.decisions.confirming import Standing
from newsletter.domain.issues import editing
from newsletter.domain.subscribers import forgetting
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Account, Block, Comment, Contribution, Issue, Notice
from newsletter.states import ContributionState, IssueState
from newsletter.tokens import Purpose
from tests import people
from tests.contributions import sent_in
from tests.web import desk


@pytest.fixture
def ruth(client: FlaskClient, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr("newsletter.clock.now", lambda: now)
    return people.staff(now)


@pytest.fixture
def issue(ruth: Account, now: datetime) -> Issue:
    return desk.january(now, people.larkmere(now), ruth)


@pytest.fixture
def section(issue: Issue, ruth: Account, now: datetime) -> Block:
    """Helen's news, accepted, and shortened by Ruth."""
    news = sent_in(issue, now)
    with transaction():
        made = triage.place(news, actor=ruth, now=now)
    with transaction():
        editing.edit_block(
            made,
            {**made.data, "body": "<p>Oakfield School has trained twelve mentors.</p>"},
            expected_version=made.version,
            actor=ruth,
            now=now,
        )
    return made


def news_of(section: Block) -> Contribution:
    db.session.expire_all()
    return db.session.get_one(Contribution, section.contribution_id)


def link(client: FlaskClient, section: Block) -> str:
    signer = client.application.extensions["newsletter_signer"]
    return f"/contribution/{signer.sign_id(Purpose.CONTRIBUTION, news_of(section).public_id)}/section"


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the page's forms."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_the_link_in_the_mail_shows_what_was_changed(
    client: FlaskClient, section: Block, now: datetime, relay: MemoryRelay
) -> None:
    deliver_notices(now + timedelta(minutes=10))
    found = re.search(r"https://news\.example\.org(/contribution/[\w-]+/section)", _plain(relay.accepted[0].message))
    assert found is not None
    page = client.get(found[1])
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    text = re.sub(r"<[^>]+>", "", page.text)
    assert "Oakfield[added:] School [end] has trained" in re.sub(r"\s+", " ", text)
    assert "[removed:]" in text
    assert "It is right" not in page.text, "nobody has asked"


def test_asked_she_says_that_it_is_right(
    client: FlaskClient, section: Block, ruth: Account, now: datetime, relay: MemoryRelay
) -> None:
    with transaction():
        confirming.ask(news_of(section), actor=ruth, now=now)
        confirming.ask(news_of(section), actor=ruth, now=now)
    notice = db.session.query(Notice).filter_by(template="contribution_confirm").one()
    deliver_notices(now)
    (mail,) = (each for each in relay.accepted if b"Is this right?" in each.message)
    assert "If we hear nothing by then, it goes out as it stands." in _plain(mail.message)
    assert "10am, Wednesday 9 December 2026 (UK time)" in _plain(mail.message)
    url = link(client, section)
    page = client.get(url).text
    assert "It is right" in page
    assert news_of(section).confirmed_at is None, "looking says nothing"
    for _click in range(2):
        answer = client.post(f"{url}/right", data=fields(page), follow_redirects=True)
    assert "You have said that it is right." in answer.text
    assert confirming.standing(news_of(section), section, now) is Standing.RIGHT
    assert notice.state.value == "accepted"


def test_what_was_edited_meanwhile_is_read_again(
    client: FlaskClient, section: Block, ruth: Account, now: datetime
) -> None:
    with transaction():
        confirming.ask(news_of(section), actor=ruth, now=now)
    url = link(client, section)
    page = client.get(url).text
    with transaction():
        editing.edit_block(
            section, {**section.data, "body": "<p>Eleven.</p>"}, expected_version=section.version, actor=ruth, now=now
        )
    answer = client.post(f"{url}/right", data=fields(page))
    assert answer.status_code == 409
    assert "It was edited again while you were reading." in answer.text
    assert news_of(section).confirmed_at is None


def test_a_suggestion_stands_beside_the_section_and_changes_nothing(
    client: FlaskClient, section: Block, issue: Issue, now: datetime
) -> None:
    url = link(client, section)
    guard = fields(client.get(url).text)
    empty = client.post(f"{url}/suggest", data={**guard, "words": " "})
    assert empty.status_code == 422
    assert '<a href="#words">Say what you would change</a>' in empty.text
    for _click in range(2):
        answer = client.post(
            f"{url}/suggest", data={**guard, "words": "<b>Thirteen</b> mentors."}, follow_redirects=True
        )
    assert "The editors have your suggestion." in answer.text
    comment = db.session.query(Comment).one()
    assert (comment.block_id, comment.author_name) == (section.id, "Oakfield School, who sent it in")
    assert section.data["body"] == "<p>Oakfield School has trained twelve mentors.</p>"
    assert [each.address for each in db.session.query(Notice).filter_by(template="sender_suggests")] == [
        "ruth@example.org"
    ]
    people.sign_in(client, db.session.query(Account).one())
    assert "&lt;b&gt;Thirteen&lt;/b&gt; mentors." in client.get(f"/desk/issues/january-2027/write/{section.id}").text


def test_a_mail_filter_that_posts_says_nothing_in_her_name(client: FlaskClient, section: Block, now: datetime) -> None:
    url = link(client, section)
    answer = client.post(f"{url}/right", data={"version": "2", "form": "made-up"})
    assert answer.status_code == 422
    assert news_of(section).confirmed_at is None
    kept = client.post(f"{url}/suggest", data={"words": "Thirteen."})
    assert kept.status_code == 422
    assert "Thirteen." in kept.text, "no word is lost"
    assert client.get("/contribution/nothing/section").status_code == 404


def test_silence_is_a_yes_and_the_editors_see_that(section: Block, ruth: Account, now: datetime) -> None:
    news = news_of(section)
    with transaction():
        confirming.ask(news, actor=ruth, now=now)
    assert confirming.standing(news, section, now + timedelta(hours=47)) is Standing.WAITING
    assert confirming.standing(news, section, now + timedelta(hours=48)) is Standing.SILENT


def test_taken_back_it_is_no_section_any_more(
    client: FlaskClient, section: Block, ruth: Account, now: datetime
) -> None:
    url = link(client, section)
    guard = fields(client.get(url).text)
    with transaction():
        triage.reopen(news_of(section), actor=ruth, now=now)
    gone = client.get(url)
    assert gone.headers["Location"] == url.removesuffix("/section")
    assert client.post(f"{url}/suggest", data={**guard, "words": "More."}).status_code == 303
    assert db.session.query(Comment).count() == 0


def test_once_it_is_out_there_is_nothing_to_say(
    client: FlaskClient, section: Block, issue: Issue, now: datetime
) -> None:
    url = link(client, section)
    with transaction():
        issue.state, issue.cancelled_at = IssueState.CANCELLED, now
    page = client.get(url).text
    assert "Suggest a change" not in page
    assert news_of(section).state is ContributionState.ACCEPTED


def _plain(message: bytes) -> str:
    import email
    import email.policy

    part = email.message_from_bytes(message, policy=email.policy.default).get_body(["plain"])
    assert part is not None
    return " ".join(str(part.get_content()).split())


def test_whoever_is_forgotten_is_greeted_nowhere(section: Block, now: datetime) -> None:
    assert news_of(section).decision_note.startswith("Hello Helen Price,")
    with transaction():
        forgetting.erase_address("helen@example.org", route="staff", now=now)
    assert news_of(section).decision_note == ""
    assert "Helen" not in str([each.values for each in db.session.query(Notice)])
