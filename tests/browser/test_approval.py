"""Ewan reads an issue on his phone: he returns it, approves it, sees it scheduled; Ruth takes it back in time."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import ViewportSize

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import commenting, correcting, editing
from newsletter.models import Account, Issue, Rendition
from newsletter.states import IssueState, Role
from tests import people
from tests.web import desk as makers

from .conftest import Visitor
from .in_process import answering, home, sign_in

PHONE: ViewportSize = {"width": 320, "height": 640}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Flask]:
    """An application with January 2027 written and tested."""
    with answering(tmp_path) as app:
        now = clock.now() - timedelta(hours=1)
        mailing_list = people.larkmere(now)
        people.subscribers(now, mailing_list, 712)
        makers.january(now, mailing_list, people.staff(now))
        people.staff(now, "Ewan Marsh", Role.APPROVER)
        yield app


def issue() -> Issue:
    db.session.rollback()
    return db.session.query(Issue).filter_by(slug="january-2027").one()


def account(name: str) -> Account:
    return db.session.query(Account).filter_by(name=name).one()


@pytest.fixture
def come(desk: Flask, visitor: Any) -> Any:
    """Signs somebody in, in a browser of their own."""

    def signed_in(name: str) -> Visitor:
        made: Visitor = visitor()
        sign_in(desk, made.page.context, name)
        made.page.set_viewport_size(PHONE)
        return made

    return signed_in


def go(who: Visitor, desk: Flask, path: str) -> None:
    who.page.goto(f"{home(desk)}/desk/issues/january-2027{path}")


def test_returned_approved_scheduled_and_taken_back_on_a_phone(desk: Flask, come: Any) -> None:
    ruth, ewan = come("Ruth Adeyemi"), come("Ewan Marsh")
    go(ruth, desk, "/test")
    ruth.press("Send the test")
    go(ruth, desk, "/approval")
    ruth.press("Ask for approval")

    go(ewan, desk, "/approval")
    ewan.press("Return it with this comment")
    assert ewan.page.evaluate("document.activeElement.className").startswith("govuk-error-summary")
    ewan.write(ewan.page.get_by_label("What should change?"), "Name the four days.")
    ewan.press("Return it with this comment")
    assert issue().state is IssueState.DRAFT

    go(ruth, desk, "/approval")
    assert "Name the four days." in ruth.page.content()
    block = next(each for each in issue().blocks if each.kind == "section")
    with transaction():
        editing.edit_block(
            block, {"heading": "Practice week", "body": "<p>From Monday 1 to Thursday 4 March.</p>"},
            expected_version=block.version, actor=account("Ruth Adeyemi"), now=clock.now(),
        )  # fmt: skip
    go(ruth, desk, "/test")
    ruth.press("Send a new test")
    go(ruth, desk, "/approval")
    ruth.press("Ask for approval")
    go(ewan, desk, "/approval")
    ewan.look("read-again")
    assert ewan.page.locator("ins").count() > 0
    ewan.press("Approve it")
    assert issue().state is IssueState.APPROVED

    go(ruth, desk, "/schedule")
    ruth.press(re.compile("^Schedule for 712 people"))
    assert issue().state is IssueState.SCHEDULED
    go(ruth, desk, f"/write/{block.id}")
    ruth.page.get_by_text("These words are locked.").wait_for()
    assert ruth.page.get_by_role("textbox").count() == 0
    go(ruth, desk, "/sending")
    ruth.press("Cancel the schedule")
    assert issue().state is IssueState.APPROVED
    go(ruth, desk, "/schedule")
    ruth.press(re.compile("^Schedule for 712 people"))
    assert issue().state is IssueState.SCHEDULED
    assert ruth.complaints == ewan.complaints == []


def test_comments_beside_the_section_keep_the_page_and_guests_have_their_own(
    desk: Flask, come: Any, visitor: Any
) -> None:
    ruth = come("Ruth Adeyemi")
    section = makers.block_id(issue(), "section")
    go(ruth, desk, f"/write/{section}")
    ruth.page.set_viewport_size({"width": 1280, "height": 900})
    ruth.page.get_by_text("Comment on this section").click()
    ruth.page.locator("#comment-body").fill("Which days, @Ewan?")
    ruth.page.get_by_role("button", name="Comment", exact=True).click()
    ruth.page.get_by_text("1 comment on this section").wait_for()
    assert commenting.unresolved(issue()) == 1
    ruth.page.get_by_role("button", name=re.compile("^Resolve")).click()
    ruth.page.get_by_text("Comment on this section", exact=True).wait_for()
    assert commenting.unresolved(issue()) == 0

    go(ruth, desk, "/share")
    ruth.write(ruth.page.get_by_label("Whom is it for?"), "Helen, Harbour School")
    ruth.press("Make a link")
    link = ruth.page.locator(".app-share__link").input_value()
    helen: Visitor = visitor()
    helen.page.goto(link)
    helen.write(helen.page.get_by_label("Your comment"), "Will there be places on Tuesday?")
    helen.press("Send the comment")
    helen.write(helen.page.get_by_label("Your name"), "Helen Moss")
    helen.press("Send the comment")
    assert commenting.unresolved(issue()) == 1
    assert ruth.complaints == helen.complaints == []


def test_a_correction_is_seen_on_the_page(desk: Flask, come: Any, visitor: Any) -> None:
    ruth = come("Ruth Adeyemi")
    makers.approve(issue(), account("Ewan Marsh"), clock.now())
    with transaction() as session:
        found = session.get_one(Issue, issue().id)
        found.rendition_id = session.query(Rendition).one().id
        found.state, found.started_at, found.published_at = IssueState.SENDING, clock.now(), clock.now()
    go(ruth, desk, "/corrections")
    ruth.page.get_by_label("In", exact=True).select_option(label="Practice week")
    ruth.write(ruth.page.get_by_label("What was wrong"), "In April, not March.")
    ruth.press("Put it on the web page")
    assert [note.body for note in correcting.corrections_of(issue())] == ["In April, not March."]
    reader: Visitor = visitor()
    reader.page.goto(f"{home(desk)}/news/january-2027")
    reader.look("corrected")
