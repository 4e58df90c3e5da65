"""Readers who were silent for long, in a real browser: what an administrator decides, and what they are asked."""

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.delivery.notices.links import token_link
from newsletter.domain.subscribers import renewing
from newsletter.models import Account, MailingList, Membership, Organisation, Renewal
from newsletter.states import Role
from newsletter.tokens import Purpose
from tests import people

from .test_desk import at_work, desk

__all__ = ["desk"]

pytestmark = pytest.mark.browser
YEAR = timedelta(days=366)


def test_ruth_decides_and_a_reader_says_yes(desk: Flask, browser: Browser) -> None:
    address, now = desk.config["NEWSLETTER"].public_url, clock.now()
    with transaction() as session:
        ruth = session.scalars(select(Account).where(Account.name == "Ruth Adeyemi")).one()
        for one in session.scalars(select(Membership).where(Membership.account_id == ruth.id)):
            one.role, one.list_id = Role.ADMIN, None
        assert session.get_one(Organisation, 1).sending_mode == "everyone"
    quarterly = db.session.scalars(select(MailingList)).one()
    people.subscribers(now - 3 * YEAR, quarterly, 2)
    with at_work(desk, browser, "Ruth Adeyemi") as visitor:
        page = visitor.page
        page.goto(f"{address}/desk/settings/retention")
        expect(page.get_by_role("row", name="Safeguarding news")).to_contain_text("2 people would be asked")
        visitor.look("renewals-all")
        visitor.follow("Decide Safeguarding news")
        visitor.look("renewals-one")
        page.get_by_label("Never", exact=True).check()
        visitor.press("Decide")
        expect(page.get_by_role("alert")).to_contain_text("Say why people are kept")
        visitor.look("renewals-wrong")
        page.get_by_label("After 2 years").check()
        visitor.press("Decide")
        expect(page.get_by_role("row", name="Safeguarding news")).to_contain_text("2 people are asked")
        renewing.run(quarterly.id, now)
        asked = db.session.scalars(select(Renewal).order_by(Renewal.id)).first()
        page.goto(token_link("public.renew", Purpose.RENEW, asked.public_id))
        visitor.look("renewals-asked")
        visitor.press("Yes, keep sending it")
        expect(page.get_by_role("heading", level=1)).to_have_text("You go on getting Safeguarding news")
        visitor.look("renewals-kept")
