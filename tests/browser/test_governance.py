"""The pages about people's data in a real browser, wide and narrow: nothing for axe to find, nothing to scroll to."""

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.staff import data_complaints
from newsletter.domain.subscribers import sealing, suppressing
from newsletter.models import Account, Membership
from newsletter.states import Role, SuppressionReason

from .conftest import Visitor
from .test_desk import at_work, desk

__all__ = ["desk"]

pytestmark = pytest.mark.browser


def test_an_administrator_looks_after_people_s_data(desk: Flask, browser: Browser) -> None:
    address, now = desk.config["NEWSLETTER"].public_url, clock.now()
    with transaction():
        ruth = db.session.scalars(select(Account).where(Account.name == "Ruth Adeyemi")).one()
        for one in db.session.scalars(select(Membership).where(Membership.account_id == ruth.id)):
            one.role, one.list_id = Role.ADMIN, None
        suppressing.suppress("asha@example.org", SuppressionReason.COMPLAINT, now=now)
        complaint = data_complaints.take("Asha", "asha@example.org", "You wrote after I had left.", now=now).public_id
    sealing.seal_all(now)
    with at_work(desk, browser, "Ruth Adeyemi") as visitor:
        for path, name in (
            ("settings", "settings"),
            ("settings/texts/breach", "text"),
            (f"settings/complaints/{complaint}", "complaint"),
        ):
            visitor.page.goto(f"{address}/desk/{path}")
            visitor.look(f"data-{name}")
        suppression(visitor, address)
        visitor.page.goto(f"{address}/desk/settings/consent")
        visitor.press("Check the whole record")
        expect(visitor.page.locator("#result")).to_be_visible()
        visitor.look("data-consent")
        visitor.page.goto(f"{address}/desk/settings/take-down")
        visitor.write(visitor.page.get_by_label("The words, exactly"), "Brannock Hall")
        visitor.press("Take them down for good")
        expect(visitor.page.get_by_role("alert")).to_contain_text("Say why they go")
        visitor.look("data-take-down")
        visitor.page.goto(f"{address}/complaints")
        visitor.look("data-complain")


def suppression(visitor: Visitor, address: str) -> None:
    visitor.page.goto(f"{address}/desk/suppressions")
    visitor.write(visitor.page.get_by_label("Email address"), "asha@example.org")
    visitor.press("Look it up")
    expect(visitor.page.get_by_role("heading", name="They called a mail spam")).to_be_visible()
    visitor.press("Let mail go there again")
    expect(visitor.page.get_by_role("alert")).to_contain_text("Say why mail may go")
    visitor.look("data-suppression-wrong")
