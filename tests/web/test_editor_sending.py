"""A send that Ruth watches: pause, resume, cancel, decide, and the report that adds up."""

import csv
import io
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import delete, event, update

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.launch import launch
from newsletter.delivery.pace.budget import RelayBudget
from newsletter.delivery.reports import report
from newsletter.delivery.reports.people_lines import COLUMNS
from newsletter.delivery.returns.consequences import note_unsure_taken
from newsletter.domain.staff import one_time_codes
from newsletter.models import (
    Account,
    Activity,
    Consent,
    Delivery,
    Feedback,
    Issue,
    IssueReport,
    Subscriber,
    SubscriberExport,
)
from newsletter.states import ConsentEvent, DeliveryState, FeedbackKind, IssueState, Role, SkipReason
from newsletter.web.editor.sending_advice import advice
from tests import people
from tests.databases import KEY
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


def test_a_limit_of_the_hour_is_named_with_the_moment_it_goes_on(client: FlaskClient, going: Issue) -> None:
    app = client.application
    limited = replace(app.config["NEWSLETTER"], relay_per_hour=1_000)
    app.config["NEWSLETTER"] = limited
    assert "takes no more for now" not in client.get(_URL).text
    RelayBudget(app.extensions["newsletter_relay"].name, limited).reserve(1_000)
    # What was given within this minute counts until an hour and two minutes from now: ten o'clock is the test's.
    page = _words(client.get(_URL).text)
    assert re.search(r"takes no more for now \(1,000 an hour\)\. It goes on at 11[.:]0[1-4]am", page), page


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
    words = _words(page)
    assert "1 There is no such mailbox" in words
    assert "1 No such mailbox." in _words(page.replace("<q>", "").replace("</q>", ""))
    assert "1 left after the list was frozen" in words
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


def test_an_unsure_one_of_which_something_came_back_is_better_left(
    client: FlaskClient, going: Issue, now: datetime
) -> None:
    _finish(going, now)
    assert "leave it." not in client.get(_URL).text
    delivery = db.session.query(Delivery).filter_by(state=DeliveryState.UNSURE).one()
    with transaction():
        assert note_unsure_taken(delivery, now)
    assert "so the mail server had it: leave it." in client.get(_URL).text


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


# --- the live page -----------------------------------------------------------------------------------------------


def _part(client: FlaskClient) -> str:
    return client.get(f"{_URL}/part").text


def test_bar_rate_and_time_left_come_from_the_totals(
    client: FlaskClient, going: Issue, now: datetime, _today: time_machine.Traveller
) -> None:
    ledger.accepted_in(going, {now: 20, now + timedelta(seconds=10): 20})
    _today.move_to(now + timedelta(seconds=20))
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _u, words, *_: statements.append(words))
    part = _part(client)
    assert '<progress class="govuk-visually-hidden" max="10" value="5" aria-label="Finished">' in part
    assert "50 in 100 are finished" in part
    assert "2 a second. Less than a minute left." in part
    assert "1 person was put off and is tried again at 10:20am, Monday 7 December 2026." in part
    assert "1 is unsure; you can decide about it at any time." in part
    # Of the deliveries themselves only the next retry is asked for, which an index answers.
    assert [words for words in statements if "FROM delivery " in words and "retry_at" not in words] == []


def test_the_numbers_keep_the_focus_when_the_part_is_fetched_again(client: FlaskClient, going: Issue) -> None:
    assert [f'id="count-{state}"' in _part(client) for state in DeliveryState] == [True] * 7


def test_who_has_no_scripts_can_look_again(client: FlaskClient, going: Issue) -> None:
    assert re.search(rf'<noscript>.*href="{_URL}".*Look again.*</noscript>', client.get(_URL).text)


def test_when_it_stopped_by_itself_the_page_says_what_is_wrong_and_what_to_do(
    client: FlaskClient, going: Issue, now: datetime
) -> None:
    reason = "The mail server does not take mail from us. It answered AUTH with: 535 <b>no</b> reader3@example.org"
    with transaction():
        control.pause(db.session.get_one(Issue, going.id), reason=reason, actor=None, now=now)
    page = client.get(_URL).text
    assert "The mail server does not let us sign in" in page
    assert "535 &lt;b&gt;no&lt;/b&gt; reader3@example.org" in page
    assert "Nothing is lost, and nobody gets it twice." in page
    assert page.count("Resume sending") == 1
    people.sign_in(client, people.staff(now, "Vera Lund", Role.VIEWER))
    seen = client.get(_URL).text
    assert "Resume sending" not in seen
    assert "reader3@example.org" not in seen


def test_when_somebody_paused_it_the_page_says_who(client: FlaskClient, going: Issue) -> None:
    client.post(f"{_URL}/pause")
    page = client.get(_URL).text
    assert "Paused by Ruth Adeyemi at 10am, Monday 7 December 2026." in page
    assert "What to do" not in page


@pytest.mark.parametrize(
    ("reason", "heading"),
    [
        ("The disk is nearly full, so what is sent could not be recorded", "The disk is nearly full"),
        ("The mail cannot be made: a slot is missing", "The mail cannot be made"),
        ("Sending is switched off for this installation", "Sending is switched off"),
        (
            "11 of the first 200 messages were refused or got no answer, which is more than a good list has",
            "Too many of the first were refused",
        ),
        (
            "The certificate of the mail server mail.example.org is not accepted: it has expired",
            "The mail server could not prove who it is",
        ),
        (
            "The mail server does not take mail from us. It answered AUTH with: 535 5.7.8 no",
            "The mail server does not let us sign in",
        ),
        (
            "The sign-in service login.example.org gives us no access token: invalid_client",
            "The mail server does not let us sign in",
        ),
        (
            "The mail server does not take mail from us. It answered MAIL with: 550 5.4.5 Daily sending quota exceeded",
            "The mail server takes no more for now",
        ),
        (
            "The mail server does not take mail from us. It answered the message with: 550 5.7.1 spam",
            "The mail server refuses our mail",
        ),
        (
            "The mail server mail.example.org could not be reached on port 25: refused (5 times in a row)",
            "The mail server is not there",
        ),
        (
            "The mail server asks us to try this message again later. It answered RCPT with: 451 (20 times in a row)",
            "The mail server asks us to wait",
        ),
        ("The database could not be read or written", "The accounts could not be written"),
        ("The sending program failed; its log says why", "Something is wrong"),
    ],
)
def test_every_reason_has_its_advice(reason: str, heading: str) -> None:
    found = advice(reason)
    assert (found.heading, len(found.steps) > 0) == (heading, True)


# --- those put off and unsure ------------------------------------------------------------------------------------


def test_those_who_were_put_off_are_tried_now(client: FlaskClient, going: Issue, now: datetime) -> None:
    _finish(going, now)
    page = client.get(_URL).text
    assert "The next is tried again at 10:20am, Monday 7 December 2026." in page
    assert "Try the 1 that was put off now" in page
    assert "Try the 1 that was put off now" in client.get(f"{_URL}/deferred").text
    client.post(f"{_URL}/retry")
    db.session.expire_all()
    assert db.session.query(Delivery).filter_by(state=DeliveryState.DEFERRED).one().retry_at == now


def _two_unsure(issue: Issue) -> None:
    with transaction():
        row = db.session.query(Delivery).filter_by(state=DeliveryState.ACCEPTED).first()
        assert row is not None
        row.state, row.reply = DeliveryState.UNSURE, "<script>alert(1)</script>"
    ledger.tally(issue)


@pytest.mark.parametrize(
    ("answer", "asked", "done", "left"),
    [
        ("again", "Send it again to 2 people?", "All 2 are sent once more.", 0),
        ("leave", "Leave 2 people as they are?", "All 2 are left as they are.", 2),
    ],
)
def test_all_unsure_ones_are_decided_at_once_after_a_question(
    client: FlaskClient, going: Issue, now: datetime, answer: str, asked: str, done: str, left: int
) -> None:
    _finish(going, now)
    _two_unsure(going)
    page = client.get(_URL).text
    assert f"{_URL}/unsure/{answer}" in page
    assert "<script>alert" not in page
    assert asked in _words(client.get(f"{_URL}/unsure/{answer}").text)
    assert db.session.query(Delivery).filter_by(state=DeliveryState.UNSURE, decided_at=None).count() == 2
    assert done in client.post(f"{_URL}/unsure/{answer}", follow_redirects=True).text
    db.session.expire_all()
    assert db.session.query(Delivery).filter_by(state=DeliveryState.UNSURE).count() == left
    assert client.get(f"{_URL}/unsure/{answer}").headers["Location"] == _URL


def test_an_unsure_one_may_be_decided_while_it_is_sent(client: FlaskClient, going: Issue) -> None:
    page = client.get(f"{_URL}/unsure").text
    assert "Send again" in page
    delivery = db.session.query(Delivery).filter_by(state=DeliveryState.UNSURE).one().id
    client.post(f"/desk/issues/january-2027/deliveries/{delivery}/leave")
    assert "Send again" not in client.get(f"{_URL}/unsure").text


def test_a_viewer_decides_nothing(client: FlaskClient, going: Issue, now: datetime) -> None:
    _finish(going, now)
    _two_unsure(going)
    people.sign_in(client, people.staff(now, "Vera Lund", Role.VIEWER))
    assert "Send again" not in client.get(_URL).text
    assert "Leave it" not in client.get(f"{_URL}/unsure").text
    for answer in ("again", "leave"):
        assert client.get(f"{_URL}/unsure/{answer}").status_code == 403
        assert client.post(f"{_URL}/unsure/{answer}").status_code == 403


# --- the report --------------------------------------------------------------------------------------------------


def _hostile_reply() -> None:
    with transaction():
        row = db.session.query(Delivery).filter_by(state=DeliveryState.REFUSED).one()
        row.reply = "=1+1 <img src=x> <reader3@example.org> no such user"


def test_what_a_mail_server_says_does_nothing_and_names_nobody(
    client: FlaskClient, going: Issue, now: datetime
) -> None:
    _hostile_reply()
    _finish(going, now)
    page = client.get(_URL).text
    assert "<q>=1+1 &lt;img src=x&gt; &lt;…@example.org&gt; no such user</q>" in page
    assert "reader3@" not in page.replace("<wbr>", "")


def test_the_accounts_are_of_this_minute_and_the_rest_as_of_then(
    client: FlaskClient, going: Issue, now: datetime, _today: time_machine.Traveller
) -> None:
    _finish(going, now)
    report.refresh_due(now + timedelta(hours=1))
    with transaction():
        row = db.session.query(Delivery).filter_by(state=DeliveryState.DEFERRED).one()
        row.state, row.code, row.enhanced, row.reply = DeliveryState.REFUSED, 552, "5.2.2", "552 5.2.2 Full"
    ledger.tally(going)
    words = _words(client.get(_URL).text)
    assert "Refused 2 refused" in words
    assert "1 The mailbox is full" in words
    assert "As of 11am, Monday 7 December 2026. Made anew every hour for a week." in words


def test_bounces_and_complaints_are_held_against_the_lines(client: FlaskClient, going: Issue, now: datetime) -> None:
    _finish(going, now)
    with transaction() as session:
        for kind, number in ((FeedbackKind.HARD, 7), (FeedbackKind.COMPLAINT, 8), (FeedbackKind.COMPLAINT, 9)):
            session.add(Feedback(kind=kind, subscription_id=number, issue_id=going.id, at=now))
    words = _words(client.get(_URL).text)
    assert "Bounced after being accepted 1 16.67% Over 5%, where mail servers distrust a sender." in words
    assert "1 for good: there is no such mailbox." in words
    assert "Called it spam 2 33.33% Over 0.3%, where mailbox providers turn mail away." in words


def test_where_nobody_reads_what_comes_back_the_report_says_so(
    client: FlaskClient, going: Issue, now: datetime
) -> None:
    _finish(going, now)
    page = client.get(_URL).text
    assert "this installation has no mailbox for bounces and complaints" in page
    assert "None came back" not in page
    assert "Nobody has unsubscribed since it was sent." in page


def test_charts_are_pictures_with_words_and_a_table(client: FlaskClient, going: Issue, now: datetime) -> None:
    _finish(going, now)
    ledger.accepted_in(going, {now: 4, now + timedelta(minutes=17): 2})
    with transaction() as session:
        for number, hours in ((1, 2), (2, 2.5), (4, 70)):
            at = now + timedelta(hours=hours)
            session.add(Consent(subscription_id=number, event=ConsentEvent.WITHDRAWN, at=at, route="link"))
    with time_machine.travel(now + timedelta(days=4), tick=False):
        people.sign_in(client, db.session.query(Account).filter_by(name="Ruth Adeyemi").one())
        page = client.get(_URL).text
    assert page.count('role="img"') == 2
    assert page.count('<rect class="bar"') == 4
    for name in ("chart-accepted", "chart-left"):
        assert f'aria-labelledby="{name}-title {name}-desc"' in page
        assert f'<title id="{name}-title">' in page
    words = _words(page)
    assert "6 were accepted while it was sent; the most, 4, in the half minute from 10am." in words
    assert "3 people left the list since it was sent, 2 of them in the first 24 hours." in words
    assert "noon, Monday 7 December 2026 2 8am, Thursday 10 December 2026 1" in words


def test_domains_of_few_people_are_not_named(client: FlaskClient, going: Issue, now: datetime) -> None:
    with transaction():
        for person in db.session.query(Subscriber).filter(Subscriber.id <= 4):
            person.address = f"somebody@small-{person.id % 2}.example.org"
    _finish(going, now)
    page = client.get(_URL).text.replace("<wbr>", "").partition("By domain")[2]
    assert "small-" not in page
    assert "example.org 6 4 0 0 0 All others 4 2 1 0 0" in _words(page)


def test_the_report_is_a_spreadsheet_that_runs_nothing_and_names_nobody(
    client: FlaskClient, going: Issue, now: datetime
) -> None:
    _hostile_reply()
    _finish(going, now)
    people.sign_in(client, people.staff(now, "Vera Lund", Role.VIEWER))
    answer = client.post(f"{_URL}/report.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="january-2027-report.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "reader" not in answer.text
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert sum(int(row["people"]) for row in rows if row["section"] == "accounts") == 10
    [refused] = [row for row in rows if row["section"] == "refused because"]
    assert refused["words"].startswith("'=1+1")
    people.sign_in(client, people.staff(now, "Olga Weir", Role.VIEWER, on=people.policy_changes(now)))
    assert client.post(f"{_URL}/report.csv").status_code == 403


def test_who_may_export_subscribers_takes_the_people_too_and_it_is_on_record(
    client: FlaskClient, going: Issue, now: datetime
) -> None:
    _hostile_reply()
    where = f"{_URL}/refused/people.csv"
    assert (client.get(where).status_code, client.post(where).status_code) == (403, 403)
    assert "Export this list" not in client.get(f"{_URL}/refused").text
    ada = people.staff(now, "Ada Lindqvist", Role.ADMIN)
    secret = one_time_codes.new_secret()
    with transaction():
        ada.tf_totp_secret, ada.tf_primary_method = secret, one_time_codes.APP
    people.sign_in(client, ada)
    assert "Export this list" in client.get(f"{_URL}/refused").text
    assert "Refused, of “January 2027”" in client.get(where).text
    unsaid = client.post(where)
    assert unsaid.status_code == 422
    assert "Say what the file is for" in unsaid.text
    code = str(one_time_codes.OneTimeCodes((KEY,)).generate_totp_password(secret))
    answer = client.post(where, data={"reason": "To phone them", "code": code})
    [row] = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert (row["email"], row["code"], row["status"]) == ("reader3@example.org", "550", "5.1.1")
    assert row["reply"].startswith("'=1+1")
    db.session.rollback()
    noted = db.session.query(SubscriberExport).one()
    assert (noted.handed, noted.complete, noted.columns) == (1, True, [name for name in row if name in COLUMNS])
    assert noted.reference in row.values()
    taken = db.session.query(Activity).filter_by(action="subscribers.exported").one()
    assert (taken.actor_name, taken.issue_id, taken.detail["number"]) == ("Ada Lindqvist", going.id, 1)
    assert client.post(f"{_URL}/nothing/people.csv").status_code == 404


def test_before_it_is_sent_there_is_nothing_to_download(client: FlaskClient, scheduled: Issue) -> None:
    assert client.post(f"{_URL}/report.csv").headers["Location"] == "/desk/issues/january-2027"


def test_when_the_deliveries_are_gone_the_numbers_stay(client: FlaskClient, going: Issue, now: datetime) -> None:
    _finish(going, now)
    report.refresh_due(now)
    with transaction() as session:
        session.execute(delete(Delivery))
        session.execute(update(IssueReport).values(aggregated_at=now))
    page = client.get(_URL).text
    assert "6 of 10 accepted by the mail server" in page
    assert "the single deliveries were given up at 10am, Monday 7 December 2026" in page
    assert "1 There is no such mailbox" in _words(page)
    assert f"{_URL}/refused" not in page
    assert "Who it was is no longer kept" in client.get(f"{_URL}/refused").text
