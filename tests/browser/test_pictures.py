"""Ruth puts a picture into a section in a browser: in a dialog over her words, by file, drop and paste; and without
scripts, on a page that comes back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import editing
from newsletter.models import Block, Media
from tests import people
from tests.pictures import drawing, moving, photograph
from tests.web import desk

from .conftest import Visitor
from .in_process import answering, home, sign_in

pytestmark = pytest.mark.browser
_GIVE = """([selector, kind, bytes]) => {
  const data = new DataTransfer()
  data.items.add(new File([new Uint8Array(bytes)], 'picture', { type: 'image/png' }))
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data })
    : new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data })
  document.querySelector(selector).dispatchEvent(event)
}"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Flask]:
    """An application with an issue in which a section waits for a picture."""
    with answering(tmp_path) as app:
        now = clock.now()
        ruth = people.staff(now)
        issue = desk.january(now, people.larkmere(now), ruth)
        with transaction():
            editing.add_block(issue, "image", position=3, actor=ruth, now=now)
        yield app


def section() -> Block:
    db.session.rollback()
    return db.session.query(Block).filter_by(kind="image").one()


@pytest.fixture
def ruth(server: Flask, visitor: Any) -> Visitor:
    """Ruth, in front of the empty section."""
    made: Visitor = visitor()
    sign_in(server, made.page.context, "Ruth Adeyemi")
    made.page.goto(f"{home(server)}/desk/issues/january-2027/write/{section().id}")
    return made


def file(content: bytes, name: str = "IMG 0001.jpg") -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def test_a_picture_is_chosen_in_a_dialog_and_no_word_is_lost(ruth: Visitor) -> None:
    page = ruth.page
    caption = page.get_by_label("Caption")
    caption.fill("By the lake")
    opener = page.get_by_role("button", name="Choose or upload a picture")
    ruth.go_to(opener)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Choose or upload a picture")
    dialog.wait_for()

    dialog.get_by_label("Upload a picture", exact=True).set_input_files(file(b"hello"))
    expect(dialog.get_by_role("alert")).to_have_text(
        "This is not a picture that mail programs show. Use PNG, JPEG, WebP or GIF."
    )
    ruth.look("dialog-refused")
    dialog.get_by_label("Upload a picture", exact=True).set_input_files(file(photograph()))
    expect(dialog.get_by_role("radio")).to_be_checked()
    expect(dialog.get_by_role("alert")).to_be_hidden()
    expect(dialog.get_by_label("What does it show?")).to_be_focused()

    dialog.get_by_role("button", name="Use this picture").click()
    expect(dialog.get_by_text("Describe the picture in words, or mark it as decoration.")).to_be_visible()
    expect(dialog.get_by_label("What does it show?")).to_be_focused()
    ruth.look("dialog-undescribed")
    page.keyboard.insert_text("The lake at noon")
    dialog.get_by_role("button", name="Use this picture").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Choose another picture")).to_be_focused()
    expect(page.get_by_alt_text("The picture that is chosen")).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("The lake at noon")
    expect(caption).to_have_value("By the lake")

    ruth.click(page.get_by_role("button", name="Save", exact=True).last)
    data = section().data
    assert data == {
        "media": db.session.query(Media).one().name, "alt": "The lake at noon", "decorative": False,
        "caption": "By the lake",
    }  # fmt: skip


def test_dropped_and_pasted_pictures_arrive_too(ruth: Visitor) -> None:
    page = ruth.page
    page.get_by_role("button", name="Choose or upload a picture").click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    page.evaluate(_GIVE, ["dialog [data-upload]", "drop", list(drawing(60, 40))])
    expect(dialog.get_by_role("radio")).to_have_count(1)
    dialog.get_by_label("What does it show?").fill("A plan of the house")
    page.evaluate(_GIVE, ["dialog [name=alt]", "paste", list(drawing(80, 40, colour="green"))])
    expect(dialog.get_by_role("radio")).to_have_count(2)
    expect(dialog.get_by_role("radio", checked=True)).to_have_count(1)
    expect(dialog.get_by_label("What does it show?")).to_have_value("A plan of the house")
    dialog.get_by_label("It is only decoration").check()
    dialog.get_by_role("button", name="Use this picture").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_label("Only decoration", exact=True)).to_be_checked()
    expect(page.get_by_label("Description")).to_have_value("")


def test_escape_leaves_everything_as_it_was(ruth: Visitor) -> None:
    opener = ruth.page.get_by_role("button", name="Choose or upload a picture")
    opener.click()
    ruth.page.get_by_role("dialog").wait_for()
    ruth.page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    assert section().data["media"] == ""


def test_the_page_of_all_pictures(ruth: Visitor, server: Flask) -> None:
    page = ruth.page
    page.goto(f"{home(server)}/desk/issues/january-2027/pictures")
    ruth.look("pictures-none")
    upload = page.get_by_label("Upload a picture", exact=True)
    upload.set_input_files(file(moving(), "dance.gif"))
    expect(page.get_by_role("alert")).to_have_text(
        "The picture moves, which distracts from reading. Choose a still one."
    )
    ruth.look("pictures-refused")
    with page.expect_navigation():
        upload.set_input_files(file(photograph(1400, 900)))
    with page.expect_navigation():
        page.get_by_label("Upload a picture", exact=True).set_input_files(file(drawing()))
    expect(page.get_by_role("button", name="Throw away")).to_have_count(2)
    page.get_by_role("button", name="Throw away").first.click()
    page.get_by_text("The picture was thrown away.").wait_for()
    ruth.press("Undo")
    expect(page.get_by_role("button", name="Throw away")).to_have_count(2)


def test_without_scripts_the_page_comes_back(server: Flask, browser: Browser, ruth: Visitor) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 700})
    sign_in(server, context, "Ruth Adeyemi")
    page: Page = context.new_page()
    page.goto(ruth.page.url)
    page.get_by_label("Caption").fill("By the lake")
    page.get_by_role("button", name="Choose or upload a picture").click()
    page.get_by_role("heading", name="Choose a picture").wait_for()
    page.get_by_label("Upload a picture", exact=True).set_input_files(file(photograph()))
    page.get_by_role("button", name="Use this picture").click()
    expect(page.get_by_role("link", name="Describe the picture in words")).to_be_visible()
    page.get_by_label("What does it show?").fill("The lake at noon")
    page.get_by_role("button", name="Use this picture").click()
    expect(page.get_by_alt_text("The picture that is chosen")).to_be_visible()
    expect(page.get_by_label("Caption")).to_have_value("By the lake")
    assert section().data["alt"] == "The lake at noon"
    context.close()


def test_choosing_on_the_page_of_its_own(ruth: Visitor) -> None:
    page = ruth.page
    page.goto(f"{page.url.partition('?')[0]}/picture/media")
    ruth.look("choose-page-empty")
    page.get_by_label("Upload a picture", exact=True).set_input_files(file(photograph()))
    expect(page.get_by_role("radio")).to_be_checked()
    ruth.press("Use this picture")
    expect(page.get_by_role("link", name="Describe the picture in words")).to_be_visible()
