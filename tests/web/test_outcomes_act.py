"""A week of triage, played through over HTTP by a fixed clock: every decision, and every mail as it is read."""

import email
import email.policy
import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.calls.decisions import placing
from newsletter.domain.issues import creating, editing, protocols
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Account, Contribution, Issue
from newsletter.states import ContributionState, Role
from tests import contributors, people
from tests.contributions import sent_in


class Clock:
    """What the product takes for the present."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def to(self, day: int, hour: int, minute: int = 0) -> None:
        self.at = datetime(2017, 11 if day > 20 else 12, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Monday 27 November 2017, 9am; the deadline was on Friday."""
    standing = Clock(datetime(2017, 11, 27, 9, 0, tzinfo=UTC))
    monkeypatch.setattr("newsletter.clock.now", standing)
    return standing


@pytest.fixture
def december(clock: Clock, client: FlaskClient) -> Issue:
    """December 2017, out on the 14th; Spring 2018 after it. Ruth is signed in."""
    now = clock()
    mailing_list = people.larkmere(now)
    ruth = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
    people.sign_in(client, ruth)
    with transaction():
        issue = creating.create_issue(
            mailing_list,
            title="December 2017",
            planned_at=datetime(2017, 12, 14, 10, 0, tzinfo=UTC),
            deadline=Deadline.of(date(2017, 11, 24), time(17), "Europe/London"),
            actor=ruth,
            now=now - timedelta(days=14),
        )
        creating.ensure_next_issue(
            issue,
            title="Spring 2018",
            deadline=Deadline.of(date(2018, 1, 19), time(17), "Europe/London"),
            actor=ruth,
            now=now - timedelta(days=14),
        )
    return issue


def filled(client: FlaskClient, url: str, **typed: str) -> dict[str, str]:
    page = client.get(url).text
    found = dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n?([^<]*)</textarea>', page))
    found |= dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page))
    for box in ("quiet", "leave"):
        found.pop(box, None)
    return {**found, **typed}


def decide(client: FlaskClient, news: Contribution, decision: str, **typed: str) -> str:
    """What Ruth reads after she has chosen and pressed "Save the decision"."""
    url = f"/desk/contributions/{news.reference}"
    answer = client.post(url, data=filled(client, url, decision=decision, **typed), follow_redirects=True)
    assert answer.status_code == 200, re.sub(r"<[^>]+>|\s+", " ", answer.text)
    return str(answer.text)


def mails(relay: MemoryRelay, address: str) -> list[tuple[str, str]]:
    """Subject and plain words of everything that came to somebody, each word parted by one space."""
    found = []
    for envelope in relay.accepted_for(address):
        message = email.message_from_bytes(envelope.message, policy=email.policy.default)
        part = message.get_body(["plain"])
        assert part is not None
        found.append((str(message["Subject"]), " ".join(str(part.get_content()).split())))
    return found


def findings(heading: str) -> dict[str, object]:
    items = [{"subheading": f"Finding {number}", "text": "<p>What we saw.</p>"} for number in range(1, 7)]
    return {"heading": heading, "intro": "<p>Six findings.</p>", "items": items}


def test_a_week_of_triage(client: FlaskClient, december: Issue, clock: Clock, relay: MemoryRelay) -> None:
    sent = datetime(2017, 11, 23, 15, 0, tzinfo=UTC)
    cara = sent_in(
        december, sent, "Practice week", contact_name="Cara Lindqvist", contact_address="cara@example.org",
        agency="Council audit team", kind="findings", data=findings("Practice week"), body="Six findings.",
    )  # fmt: skip
    nadia = sent_in(december, sent, "One number", contact_name="Nadia Rahman", contact_address="nadia@example.org")
    helen = sent_in(december, sent, "Peer mentors")
    sam = sent_in(december, sent, "Night shifts", contact_name="Sam Okafor", contact_address="sam@example.org")

    # Ruth reads the mail, changes a sentence, accepts: a findings section, and where it is from.
    url = f"/desk/contributions/{cara.reference}"
    words = filled(client, url)["place_words"].replace("We may shorten it a little.", "It opens the issue.")
    assert "A mail leaves at 9:10am." in decide(client, cara, "place", place_words=words)
    section = placing.section_of(cara)
    assert section is not None
    assert (section.kind, section.data["items"][5]["subheading"]) == ("findings", "Finding 6")

    decide(
        client, nadia, "changes", changes_words="Who answers at night?", reply_day="30 November 2017", reply_time="5pm"
    )
    # She changes her mind about Helen before the mail has left.
    decide(client, helen, "place")
    decide(client, helen, "decline", decline_words="Hello Helen, Ashbury sent the same, so we use theirs. Ruth")
    decide(client, sam, "place")
    clock.to(27, 9, 12)
    assert deliver_notices(clock()) == 4
    ((subject, text),) = mails(relay, "cara@example.org")
    assert subject == f"Your news goes into Safeguarding news, December 2017 ({cara.reference})"
    assert "It opens the issue." in text
    assert "The issue is planned for Thursday 14 December 2017." in text
    ((subject, text),) = mails(relay, "nadia@example.org")
    assert "Who answers at night?" in text
    assert "Send it again by 5pm, Thursday 30 November 2017 (UK time)." in text
    assert [each for each, _text in mails(relay, "helen@example.org")] == [
        f"Our decision about your news for Safeguarding news, December 2017 ({helen.reference})"
    ]

    # Nadia answers before the time she was given, long after the deadline.
    _nadia_answers(client, nadia, clock)
    clock.to(29, 9)
    people.sign_in(client, db.session.query(Account).one())
    assert "1 of 1 to read." in client.get(f"/desk/contributions/{nadia.reference}").text
    decide(client, nadia, "place")

    # Sam's waits for spring after all: his section goes along, as it was edited.
    decide(client, sam, "carry", carry_words="Hello Sam, December is full, so it opens the spring issue. Ruth")
    clock.to(29, 9, 15)
    deliver_notices(clock())
    subject, text = mails(relay, "sam@example.org")[-1]
    assert subject == f"Your news is kept for Safeguarding news, Spring 2018 ({sam.reference})"
    assert "December is full" in text

    _cara_reads_what_ruth_made_of_it(client, cara, clock, relay)

    # It goes out: whoever is in it hears so, and Sam's waits in spring.
    clock.to(14, 10)
    with transaction():
        protocols.tell(protocols.Happening.PUBLISHED, december, clock())
    deliver_notices(clock())
    out = "Safeguarding news, December 2017 is out, with your news"
    assert [mails(relay, f"{name}@example.org")[-1][0] == out for name in ("cara", "nadia", "sam", "helen")] == [
        True, True, False, False,
    ]  # fmt: skip
    moved = placing.section_of(sam)
    assert moved is not None
    assert moved.issue_id == december.next_issue_id


def _nadia_answers(client: FlaskClient, nadia: Contribution, clock: Clock) -> None:
    """She follows the link, signs in, changes her text and sends it again."""
    clock.to(28, 20)
    person = contributors.contributor(clock(), "Nadia Rahman", "nadia@example.org", agency="")
    with transaction():
        nadia.contributor_id = person.id
    hers = client.application.test_client()
    contributors.sign_in(hers, person, clock())
    url = f"/contribute/mine/{nadia.public_id}"
    check = hers.get(f"{url}/check")
    assert "The editors asked for changes." in check.text
    assert "Who answers at night?" in check.text
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', check.text))
    answer = hers.post(f"{url}/send", data={**form, "declared": "y"})
    assert answer.status_code == 303
    db.session.expire_all()
    assert (nadia.state, nadia.late) == (ContributionState.SUBMITTED, False)


def _cara_reads_what_ruth_made_of_it(client: FlaskClient, cara: Contribution, clock: Clock, relay: MemoryRelay) -> None:
    """Ruth edits it and asks; Cara sees the difference, says that it is right, then wants a paragraph out."""
    section = placing.section_of(cara)
    assert section is not None
    with transaction():
        data = {**section.data, "intro": "<p>Six findings, in short.</p>"}
        editing.edit_block(section, data, expected_version=section.version, actor=None, now=clock())
    url = f"/desk/contributions/{cara.reference}"
    client.post(f"{url}/ask", data=filled(client, url))
    deliver_notices(clock())
    subject, text = mails(relay, "cara@example.org")[-1]
    assert subject == f"Is this right? Your news for Safeguarding news, December 2017 ({cara.reference})"
    assert "Tell us by 9:15am, Friday 1 December 2017 (UK time)." in text
    found = re.search(r"https://news\.example\.org(/contribution/[\w-]+/section)", text)
    assert found is not None
    page = client.get(found[1]).text
    assert "in short" in page
    guard = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    client.post(f"{found[1]}/right", data=guard)
    assert "Cara says that it is right." in client.get(url).text
    with transaction():
        cara.withdrawal_asked_at, cara.withdrawal_words = clock(), "Please take out finding 3."
    (blocked,) = protocols.guards_obstacles(cara.issue, clock())
    assert blocked.firm
    client.post(f"{url}/settle", data={"settle": "keep", "answer": "Finding 3 is out."})
    assert protocols.guards_obstacles(cara.issue, clock()) == []
    clock.to(29, 9, 30)
    deliver_notices(clock())
    assert "Finding 3 is out." in mails(relay, "cara@example.org")[-1][1]
