"""Ruth and Ewan at one desk in real browsers: saved by itself, cut off, signed out, clashing; nothing is lost."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import editing
from newsletter.models import Account, Block, Issue
from newsletter.states import Role
from tests import people
from tests.web import desk as makers

from .conftest import Visitor, _note
from .in_process import answering, home, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Flask]:
    """An application with Ruth's January issue in it."""
    with answering(tmp_path, relay_url="smtp://127.0.0.1:2") as app:
        now = clock.now()
        ruth = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
        people.staff(now, "Ewan Marsh", Role.EDITOR)
        makers.january(now, people.larkmere(now), ruth)
        yield app


@contextmanager
def at_work(app: Flask, browser: Browser, name: str, width: int = 1280, **options: Any) -> Iterator[Visitor]:
    """Somebody of the staff in a browser of their own, signed in."""
    context = browser.new_context(locale="en-GB", viewport={"width": width, "height": 900}, **options)
    sign_in(app, context, name)
    page = context.new_page()
    visitor = Visitor(page)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page.on("console", lambda message: _note(visitor, message.type, message.text))
    yield visitor
    context.close()


def section(app: Flask, kind: str = "section") -> tuple[str, str]:
    """The id of the section, and the address at which it is open."""
    db.session.rollback()
    issue = db.session.query(Issue).filter_by(slug="january-2027").one()
    block_id = makers.block_id(issue, kind)
    return block_id, f"{home(app)}/desk/issues/january-2027/write/{block_id}"


def stored(block_id: str) -> Block:
    db.session.rollback()
    return db.session.get_one(Block, UUID(block_id))


def state(page: Page) -> Any:
    return expect(page.locator("#saved [data-state]"))


def heading(page: Page) -> Any:
    return page.get_by_label("Heading", exact=True).first


def preview(page: Page) -> Any:
    return page.frame_locator("iframe[data-preview]:not([data-next])")


def test_it_saves_itself_and_the_preview_follows(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        page = ruth.page
        page.goto(address)
        expect(preview(page).locator(f'[data-block="{block_id}"]').first).to_be_visible()
        heading(page).click()
        heading(page).fill("Otters in the weir")
        expect(preview(page).get_by_role("heading", name="Otters in the weir")).to_be_visible()
        assert stored(block_id).data["heading"] == "Practice week", "the preview does not wait for the saving"
        state(page).to_have_text(re.compile("^Saved at"), timeout=15_000)
        assert stored(block_id).data["heading"] == "Otters in the weir"
        expect(page.locator(f"#b-{block_id} [data-name]")).to_have_text("Otters in the weir")
        expect(heading(page)).to_be_focused()
        expect(page.locator("iframe[data-preview]")).to_have_count(1)
        page.keyboard.type(" and more")
        state(page).to_have_text("Not saved yet")
        state(page).to_have_text(re.compile("^Saved at"), timeout=15_000)
        assert stored(block_id).data["heading"].endswith("and more")
        assert page.evaluate("Object.keys(localStorage).length") == 0
        ruth.look("desk-saved")


def test_a_click_in_the_preview_opens_the_section(desk: Flask, browser: Browser) -> None:
    _block_id, address = section(desk)
    contact, _address = section(desk, "contact")
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        page = ruth.page
        page.goto(address)
        heading(page).fill("Words that are saved on the way")
        with page.expect_navigation():
            preview(page).locator(f'[data-block="{contact}"]').first.click()
        assert contact in page.url
        assert stored(_block_id).data["heading"] == "Words that are saved on the way"


def test_words_survive_a_cut_connection(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        page = ruth.page
        page.goto(address)
        page.context.set_offline(True)
        heading(page).fill("Written on the train")
        state(page).to_have_text("Not saved: no connection", timeout=15_000)
        expect(page.locator("#said")).to_have_text("Not saved: no connection")
        assert page.evaluate("Object.keys(localStorage).length") == 1
        page.context.set_offline(False)
        state(page).to_have_text(re.compile("^Saved at"), timeout=40_000)
        assert stored(block_id).data["heading"] == "Written on the train"
        assert page.evaluate("Object.keys(localStorage).length") == 0


def test_words_survive_a_closed_tab(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        page = ruth.page
        page.goto(address)
        page.context.clear_cookies()  # whatever is sent as the page goes, nobody takes
        heading(page).fill("Typed before the lid was closed")
        expect(page.locator("#saved [data-state]")).to_have_text("Not saved yet")
        page.close()
        context = ruth.page.context
        sign_in(desk, context, "Ruth Adeyemi")
        again = context.new_page()
        again.goto(address)
        note = again.locator("#note-kept")
        expect(note).to_contain_text(re.compile(r"There are words from .+ that were not saved\."))
        with again.expect_navigation():
            again.get_by_role("button", name="Put them back").click()
        expect(heading(again)).to_have_value("Typed before the lid was closed")
        assert stored(block_id).data["heading"] == "Typed before the lid was closed"
        assert again.evaluate("Object.keys(localStorage).length") == 0


def test_words_may_be_let_go(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        page = ruth.page
        page.goto(address)
        page.context.clear_cookies()  # whatever is sent as the page goes, nobody takes
        heading(page).fill("Never mind")
        page.close()
        context = page.context
        sign_in(desk, context, "Ruth Adeyemi")
        again = context.new_page()
        again.goto(address)
        again.get_by_role("button", name="Let them go").click()
        expect(again.locator("#note-kept")).to_be_hidden()
        expect(heading(again)).to_be_focused()
        again.reload()
        expect(again.locator("#note-kept")).to_be_hidden()
        assert stored(block_id).version == 1


def test_words_survive_the_end_of_a_session(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        page = ruth.page
        page.goto(address)
        page.context.clear_cookies()
        heading(page).fill("Typed over lunch")
        expect(page.locator("#note-signed-out")).to_be_visible(timeout=15_000)
        state(page).to_have_text("Not saved: you are signed out")
        ruth.complaints.clear()  # the preview of a signed-out page may not stand in a frame
        expect(heading(page)).to_have_value("Typed over lunch")
        sign_in(desk, page.context, "Ruth Adeyemi")  # in another tab
        state(page).to_have_text(re.compile("^Saved at"), timeout=20_000)
        expect(page.locator("#note-signed-out")).to_be_hidden()
        assert stored(block_id).data["heading"] == "Typed over lunch"


def test_nobody_saves_in_the_name_of_another(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        page = ruth.page
        page.goto(address)
        page.context.clear_cookies()
        sign_in(desk, page.context, "Ewan Marsh")
        heading(page).fill("Ruth's words")
        expect(page.locator("#note-other")).to_be_visible(timeout=15_000)
        assert stored(block_id).version == 1


def test_two_editors_see_each_other_and_both_are_saved(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    contact, other = section(desk, "contact")
    with at_work(desk, browser, "Ruth Adeyemi") as ruth, at_work(desk, browser, "Ewan Marsh") as ewan:
        ruth.page.goto(address)
        ruth.page.wait_for_load_state("networkidle")
        ewan.page.goto(other)
        expect(ewan.page.locator("#here")).to_contain_text("Ruth Adeyemi is in “Practice week”")
        expect(ewan.page.locator(f"#b-{block_id} [data-others]")).to_have_text(re.compile("Ruth Adeyemi"))
        heading(ruth.page).fill("By Ruth")
        heading(ewan.page).fill("By Ewan")
        for page in (ruth.page, ewan.page):
            state(page).to_have_text(re.compile("^Saved at"))
        assert (stored(block_id).data["heading"], stored(contact).data["heading"]) == ("By Ruth", "By Ewan")
        ruth.page.goto(other)
        expect(ruth.page.locator("#here")).to_contain_text("Ewan Marsh is in this section too")


def test_two_editors_in_one_section_lose_nothing(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi") as ruth, at_work(desk, browser, "Ewan Marsh") as ewan:
        ruth.page.goto(address)
        ewan.page.goto(address)
        heading(ruth.page).fill("Ruth's week")
        state(ruth.page).to_have_text(re.compile("^Saved at"), timeout=15_000)
        heading(ewan.page).fill("Ewan's week")
        state(ewan.page).to_have_text("Not saved: somebody else changed this section", timeout=15_000)
        with ewan.page.expect_navigation():
            ewan.page.get_by_role("button", name="Look at both").click()
        expect(ewan.page.get_by_role("heading", name="Yours, not saved yet")).to_be_visible()
        with ewan.page.expect_navigation():
            ewan.page.get_by_role("button", name="Keep both").click()
        expect(heading(ewan.page)).to_have_value("Ewan's week")
        assert ewan.page.evaluate("Object.keys(localStorage).length") == 0
        db.session.rollback()
        words = [
            block.data.get("heading") for block in db.session.query(Issue).filter_by(slug="january-2027").one().blocks
        ]
        assert words.index("Ewan's week") == words.index("Ruth's week") + 1
        assert stored(block_id).data["heading"] == "Ruth's week"


def test_a_page_that_is_behind_says_so(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        page = ruth.page
        page.goto(address)
        page.wait_for_load_state("networkidle")
        ewan = db.session.query(Account).filter_by(name="Ewan Marsh").one()
        with transaction():
            block = stored(block_id)
            editing.edit_block(
                block, {**block.data, "heading": "By Ewan"}, expected_version=1, actor=ewan, now=clock.now()
            )
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#note-changed")).to_be_visible()
        expect(preview(page).get_by_role("heading", name="Practice week")).to_be_visible()
        page.get_by_role("link", name="Show it as it is now").click()
        expect(heading(page)).to_have_value("By Ewan")


def test_on_a_phone(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi", width=320, has_touch=True) as ruth:
        page = ruth.page
        page.goto(address)
        heading(page).fill("From the bus")
        state(page).to_have_text(re.compile("^Saved at"), timeout=15_000)
        page.locator(".app-deskfoot").get_by_role("link", name="Preview").click()
        expect(preview(page).get_by_role("heading", name="From the bus")).to_be_visible()
        assert stored(block_id).data["heading"] == "From the bus"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_without_scripts(desk: Flask, browser: Browser) -> None:
    block_id, address = section(desk)
    with at_work(desk, browser, "Ruth Adeyemi", java_script_enabled=False) as ruth:
        page = ruth.page
        page.goto(address)
        expect(page.locator("#note-clash")).to_be_hidden()
        expect(page.locator("#note-kept")).to_be_hidden()
        heading(page).fill("By hand")
        page.get_by_role("button", name="Save", exact=True).last.click()
        page.wait_for_url(re.compile("saved="))
        assert stored(block_id).data["heading"] == "By hand"
