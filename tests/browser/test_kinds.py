"""Every kind of section as readers see it on the web page: calm at three widths, and nothing for axe to find."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import editing, pictures, publishing, renditions
from newsletter.models import Issue
from newsletter.rendering.blocks import KINDS
from newsletter.rendering.pictures import remake
from tests import people
from tests.pictures import photograph
from tests.rendering.larkmere import good_data
from tests.web import desk

from .conftest import Visitor
from .in_process import answering, home

pytestmark = pytest.mark.browser
#: In an order in which nothing stands without a heading above it.
_ORDER = [
    "section", "event", "video", "statistic", "quote", "divider", "contact", "image", "image_text", "steps", "findings",
    "compare", "priorities", "news_in_brief", "table", "resources", "notice", "policy_update", "people_news",
    "ask_views", "join_list",
]  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Flask]:
    """An application with an issue of every kind on its public pages."""
    with answering(tmp_path) as app:
        _publish()
        yield app


def _publish() -> None:
    now = clock.now()
    ruth = people.staff(now)
    issue = desk.january(now, people.larkmere(now), ruth)
    made = remake(photograph(1400, 700))
    with transaction():
        name = pictures.store_picture(made, actor=ruth, now=now).name
        for position, kind in enumerate(_ORDER, 2):
            data = good_data(kind) | ({"media": name} if pictures.PICTURE_FIELDS[kind] else {})
            editing.add_block(issue, kind, data, position=position, actor=ruth, now=now)
    prepared = renditions.prepare(issue, now)
    with transaction():
        issue.rendition = renditions.keep(prepared, now)
        issue.started_at = now + timedelta(minutes=1)
        publishing.publish(issue, now)


def test_the_web_page_of_an_issue_with_everything_in_it(server: Flask, visitor: Any) -> None:
    kinds = {block.kind for block in db.session.query(Issue).filter_by(slug="january-2027").one().blocks}
    assert kinds == set(KINDS)
    reader: Visitor = visitor()
    page = reader.page
    page.goto(f"{home(server)}/news/january-2027")
    reader.look("every-kind")
    expect(page.get_by_role("table", name="Decisions and who takes them")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Strategy meeting")).to_be_visible()
    for link in page.get_by_role("link", name="to your calendar").all():
        answer = page.request.get(link.evaluate("link => link.href"))
        assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    pictures_shown = page.locator("article img")
    assert pictures_shown.count() == 3
    for number in range(3):
        pictures_shown.nth(number).scroll_into_view_if_needed()
        assert pictures_shown.nth(number).evaluate("image => image.decode().then(() => image.naturalWidth)") == 1200
