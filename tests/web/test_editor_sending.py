"""A send that Ruth watches: pause, resume, cancel, decide, and the report that adds up."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.delivery.launch import launch
from newsletter.models import Activity, Delivery, Issue
from newsletter.states import DeliveryState, IssueState, Role, SkipReason
from tests import people
from tests.delivery import ledger
from tests.web import desk

_URL = "/desk/issues/january-2027/sending"


@pytest.fixture(autouse=True)
def _today(now: datetime) -> object:
    with time_machine.travel(now, tick=False) as clock:
        yield clock


@pytest.fixture
def scheduled(client: FlaskClient, now: datetime) -> Issue:
    """Ten people, January scheduled in an hour, Ruth signed in."""
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, 10)
    ruth = desk.ruth(client, now)
    issue = desk.january(now, mailing_list, ruth)
    desk.approve(issue, people.staff(now, "Ewan Marsh", Role.APPROVER), now)
    desk.schedule(issue, ruth, now, now + timedelta(hours=1))
    return issue


@pytest.fixture
def going(scheduled: Issue, now: datetime) -> Issue:
    """The same an hour later: launched, and seven of the ten in as many states."""
    with transaction():
        db.session.get_one(Issue, scheduled.id).scheduled_at = now
    assert launch(scheduled.id, now)
    states = [
        DeliveryState.ACCEPTED, DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.UNSURE,
        DeliveryState.DEFERRED, DeliveryState.SKIPPED,
    ]  # fmt: skip
    with transaction():
        rows = db.session.query(Delivery).order_by(Delivery.id).all()
        for row, state in zip(rows, states, strict=False):
            row.state, row.attempts, row.updated_at = state, 1, now
            if state is DeliveryState.REFUSED:
                row.code, row.enhanced, row.reply = 550, "5.1.1", "No such mailbox."
            if state is DeliveryState.DEFERRED:
                row.retry_at = now + timedelta(minutes=20)
            if state is DeliveryState.SKIPPED:
                row.skip_reason = SkipReason.LEFT
    ledger.tally(scheduled)
    return scheduled


def _finish(issue: Issue, now: datetime) -> None:
    with transaction():
        db.session.query(Delivery).filter_by(state=DeliveryState.QUEUED).update({"state": DeliveryState.ACCEPTED})
        db.session.query(Delivery).filter_by(state=DeliveryState.ACCEPTED).update({"attempts": 1})
        kept = db.session.get_one(Issue, issue.id)
        kept.state, kept.sent_at = IssueState.SENT, now + timedelta(minutes=18)
    ledger.tally(issue)


def _state(issue: Issue) -> IssueState:
    db.session.expire_all()
    return db.session.get_one(Issue, issue.id).state


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_an_issue_that_is_not_scheduled_has_no_sending(client: FlaskClient, now: datetime) -> None:
    ruth = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), ruth)
    assert client.get(_URL).headers["Location"] == "/desk/issues/january-2027"


def test_until_it_goes_out_one_button_stops_it(client: FlaskClient, scheduled: Issue) -> None:
    page = client.get(_URL).text
    assert "January 2027 goes out to 10 people" in _words(page)
    assert "(in about 1 hour)" in page
    client.post("/desk/issues/january-2027/schedule/cancel")
    assert _state(scheduled) is IssueState.APPROVED


def test_what_is_too_late_asks_first(client: FlaskClient, scheduled: Issue, now: datetime) -> None:
    with time_machine.travel(now + timedelta(hours=4), tick=False):
        page = client.get(_URL).text
        assert "January 2027 is late" in page
        assert "Send it now to 10 people" in _words(page)
        answer = client.post("/desk/issues/january-2027/sending/launch")
    assert answer.headers["Location"] == _URL
    assert _state(scheduled) is IssueState.SENDING
    agreed = db.session.query(Activity).filter_by(action="issue.late_sending_agreed").one()
    assert agreed.actor_name == "Ruth Adeyemi"


def test_what_is_not_late_is_not_hurried(client: FlaskClient, scheduled: Issue) -> None:
    assert client.post("/desk/issues/january-2027/sending/launch").status_code == 422
    assert _state(scheduled) is IssueState.SCHEDULED


def test_the_seven_counts_stand_there_and_lead_to_people(client: FlaskClient, going: Issue) -> None:
    page = client.get(_URL).text
    assert "2 of 10 accepted by the mail server" in page
    shown = [int(number) for number in re.findall(r"<b>(\d+)</b><span>", page)]
    assert shown == [4, 0, 2, 1, 1, 1, 1]
    assert sum(shown) == 10
    refused = client.get(f"{_URL}/refused").text.replace("<wbr>", "")
    assert "reader3@example.org" in refused
    assert "No such mailbox." in refused
    assert client.get(f"{_URL}/nothing").status_code == 404


def test_the_page_fetches_its_part_again_and_whole_once_the_state_changes(client: FlaskClient, going: Issue) -> None:
    page = client.get(_URL).text
    poll = re.search(r'data-poll="([^"]+)"', page)
    assert poll
    url = poll[1].replace("&amp;", "&")
    part = client.get(url)
    assert part.status_code == 200
    assert part.text.lstrip().startswith('<div id="progress"')
    assert "data-say" not in part.text  # it was said once: half are finished
    client.post(f"{_URL}/pause")
    assert client.get(url).headers["HX-Refresh"] == "true"


def test_pause_and_resume(client: FlaskClient, going: Issue) -> None:
    assert "Paused." in client.post(f"{_URL}/pause", follow_redirects=True).text
    assert _state(going) is IssueState.PAUSED
    page = client.get(_URL).text
    assert "January 2027 is paused" in page
    assert "Resume sending" in page
    client.post(f"{_URL}/resume")
    assert _state(going) is IssueState.SENDING
    twice = client.post(f"{_URL}/resume", follow_redirects=True).text
    assert "January 2027 is being sent, not paused." in twice


def test_cancelling_says_first_how_many_have_it(client: FlaskClient, going: Issue) -> None:
    page = client.get(f"{_URL}/cancel").text
    assert "2 of 10 have it already" in page
    client.post(f"{_URL}/cancel", data={"reason": "The date is wrong."})
    assert _state(going) is IssueState.CANCELLED
    report = client.get(_URL).text
    assert "The rest was cancelled." in report
    assert "The date is wrong." in report
    assert "were still to come when it was cancelled" in report


def test_the_report_adds_up(client: FlaskClient, going: Issue, now: datetime) -> None:
    _finish(going, now)
    page = client.get(_URL).text
    assert "6 of 10 accepted by the mail server" in page
    assert "Sent from 10am to 10:18am, Monday 7 December 2026, as approved by Ewan Marsh." in page
    assert "1: “No such mailbox”." in page
    assert "1 left after the list was frozen." in page
    assert "Adds up to the list as frozen at 10am, Monday 7 December 2026." in page
    assert "1 person needs you to decide" in page


@pytest.mark.parametrize(("answer", "state"), [("again", DeliveryState.DEFERRED), ("leave", DeliveryState.UNSURE)])
def test_an_unsure_one_is_decided(
    client: FlaskClient, going: Issue, now: datetime, answer: str, state: DeliveryState
) -> None:
    _finish(going, now)
    delivery = db.session.query(Delivery).filter_by(state=DeliveryState.UNSURE).one().id
    client.post(f"/desk/issues/january-2027/deliveries/{delivery}/{answer}")
    db.session.expire_all()
    assert db.session.get_one(Delivery, delivery).state is state
    assert "needs you to decide" not in client.get(_URL).text


def test_a_delivery_of_another_issue_is_not_found(client: FlaskClient, going: Issue) -> None:
    assert client.post("/desk/issues/january-2027/deliveries/9999/again").status_code == 404
    assert client.post("/desk/issues/april-2027/deliveries/4/again").status_code == 404


def test_a_viewer_watches_and_sees_addresses_in_part(client: FlaskClient, going: Issue, now: datetime) -> None:
    people.sign_in(client, people.staff(now, "Vera Lund", Role.VIEWER))
    page = client.get(_URL).text
    assert "Pause sending" not in page
    assert client.post(f"{_URL}/pause").status_code == 403
    refused = client.get(f"{_URL}/refused").text
    assert "reader3@example.org" not in refused
    assert "example.org" in refused


def _decide(client: FlaskClient) -> str:
    """The part of the report about whom to decide, without the places where an address may break."""
    page = client.get(_URL).text.replace("<wbr>", "")
    assert "1 person needs you to decide" in page
    return re.sub(r"(?s)<button.*?</button>", "", page)


def test_a_viewer_reads_the_report_with_addresses_in_part(client: FlaskClient, going: Issue, now: datetime) -> None:
    _finish(going, now)
    [address] = re.findall(r"reader\d+@example\.org", _decide(client))
    people.sign_in(client, people.staff(now, "Vera Lund", Role.VIEWER))
    page = _decide(client)
    assert address not in page
    assert addresses.mask(address) in page


def test_a_send_within_a_minute_has_one_time(client: FlaskClient, going: Issue, now: datetime) -> None:
    _finish(going, now)
    with transaction():
        kept = db.session.get_one(Issue, going.id)
        kept.sent_at = kept.started_at
    assert "Sent at 10am, Monday 7 December 2026, as approved by Ewan Marsh." in client.get(_URL).text


def test_the_mail_as_it_was_sent(client: FlaskClient, going: Issue) -> None:
    answer = client.get("/desk/issues/january-2027/as-sent")
    assert "We will run four practice days in March." in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
