"""A send as Ruth watches it in a browser: it counts by itself, stops with the run, and becomes a report."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Request
from werkzeug.serving import make_server

from newsletter import clock
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.domain.staff import browser_sessions
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Consent, Delivery, Feedback, Issue
from newsletter.states import ConsentEvent, DeliveryState, FeedbackKind, IssueState
from newsletter.work.runners import SilentRunner
from tests import people
from tests.conftest import KEY
from tests.delivery import ledger
from tests.delivery.sending import makers

from .conftest import Visitor, free_port

_HOSTILE = "550 5.1.1 <script>document.title = 'broken'</script> <reader1@example.org> no such user"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Flask]:
    """An application that answers on a port of its own, from which sixty people are being sent to."""
    port = free_port()
    settings = Settings(
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'newsletter.db'}",
        public_url=f"http://localhost:{port}",
        relay_url="smtp://127.0.0.1:2",
        inbound_url="imaps://reader:secret@mail.example.org",
        secret_keys=(KEY,),
    )
    app = create_app(settings, runner=SilentRunner(), relay=MemoryRelay())
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    with app.app_context():
        db.create_all()
        makers.sending(clock.now() - timedelta(minutes=2), 60)
        thread.start()
        yield app
        server.shutdown()
        thread.join()
        server.server_close()
        db.session.remove()
        db.engine.dispose()


def issue() -> Issue:
    db.session.rollback()
    return db.session.query(Issue).one()


def accept(number: int, now: datetime) -> None:
    """So many are accepted in this moment; the first of all is refused in ugly words."""
    with transaction():
        rows = db.session.query(Delivery).order_by(Delivery.id).limit(number).all()
        for row in rows:
            row.state, row.attempts, row.updated_at = DeliveryState.ACCEPTED, 1, now
        rows[0].state, rows[0].code, rows[0].enhanced, rows[0].reply = DeliveryState.REFUSED, 550, "5.1.1", _HOSTILE
    ledger.tally(issue())
    ledger.accepted_in(issue(), {now.replace(second=now.second // 10 * 10, microsecond=0): number - 1})


@pytest.fixture
def ruth(desk: Flask, visitor: Any) -> Visitor:
    """Ruth, signed in, in front of the page of the sending; its clock moves only when a test moves it."""
    account = people.staff(clock.now())
    with transaction():
        session_id = browser_sessions.start(account, now=clock.now())
    interface: Any = desk.session_interface
    address = desk.config["NEWSLETTER"].public_url
    cookie = interface.write({"sid": session_id, "csrf_token": "0123456789abcdef"})
    made: Visitor = visitor()
    made.page.context.add_cookies([{"name": interface.cookie_name, "value": cookie, "url": address}])
    made.page.clock.install()
    accept(20, clock.now())
    made.page.goto(f"{address}/desk/issues/{issue().slug}/sending")
    return made


def test_it_counts_by_itself_and_the_focus_stays(ruth: Visitor) -> None:
    ruth.look("sending")
    ruth.page.locator("#count-refused").focus()
    accept(50, clock.now())
    with ruth.page.expect_response("**/sending/part**"):
        ruth.page.clock.run_for(2_500)
    ruth.page.get_by_text("49 of 60 accepted by the mail server").wait_for()
    assert ruth.page.evaluate("document.activeElement.id") == "count-refused"
    assert ruth.page.evaluate("document.querySelector('progress').position") == pytest.approx(50 / 60)
    ruth.page.clock.run_for(500)
    assert "83 in 100 are finished" in ruth.page.locator("#said").inner_text()


def test_a_hidden_tab_asks_nothing_and_asks_at_once_when_it_is_looked_at(ruth: Visitor) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        path = urlsplit(request.url).path
        if path.endswith("/sending/part"):  # the icon may still be on its way
            asked.append(path)

    ruth.page.on("request", note)
    hide = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s});"
    ruth.page.evaluate(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
    ruth.page.clock.run_for(60_000)
    assert asked == []
    with ruth.page.expect_response("**/sending/part**"):
        ruth.page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")


def test_when_it_stops_the_page_says_what_to_do_and_when_it_ends_it_is_the_report(ruth: Visitor) -> None:
    reason = "The mail server does not take mail from us. It answered AUTH with: 535 5.7.8 authentication failed"
    with transaction():
        control.pause(issue(), reason=reason, actor=None, now=clock.now())
    ruth.page.clock.run_for(2_500)
    ruth.page.get_by_role("heading", name="The mail server does not let us sign in").wait_for()
    ruth.look("stopped-by-itself")
    ruth.press("Resume sending")
    ruth.page.get_by_role("heading", name="December 2026 is being sent").wait_for()

    now = clock.now()
    accept(60, now)
    with transaction() as session:
        kept = session.get_one(Issue, issue().id)
        kept.state, kept.sent_at = IssueState.SENT, now
        session.add(Feedback(kind=FeedbackKind.HARD, subscription_id=2, issue_id=kept.id, at=now))
        session.add(Consent(subscription_id=3, event=ConsentEvent.WITHDRAWN, at=now, route="link"))
    ruth.page.clock.run_for(2_500)
    ruth.page.get_by_role("heading", name="59 of 60 accepted by the mail server").wait_for()
    assert ruth.page.locator("[data-poll]").count() == 0
    for details in ruth.page.locator("main details").all():
        details.evaluate("element => element.open = true")
    ruth.look("report-with-what-came-back")
    assert ruth.page.locator("main svg[role=img]").count() == 2
    assert "broken" not in ruth.page.title()
    with ruth.page.expect_download() as download:
        ruth.page.get_by_role("button", name="Download the report").click()
    assert download.value.suggested_filename == "december-2026-report.csv"
