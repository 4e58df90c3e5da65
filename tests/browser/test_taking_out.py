"""Taking people out as a file in a real browser, wide and narrow, by keyboard alone and without a script."""

from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.staff import one_time_codes
from newsletter.models import Account, MailingList, Membership
from newsletter.states import Role
from tests import people
from tests.conftest import KEY

from .test_desk import at_work, desk

__all__ = ["desk"]

pytestmark = pytest.mark.browser


@pytest.fixture
def ruth(desk: Flask) -> Account:
    """Ruth, an administrator for the day, with an app; three people are subscribed."""
    secret = one_time_codes.new_secret()
    with transaction():
        ruth = db.session.scalars(select(Account).where(Account.name == "Ruth Adeyemi")).one()
        for one in db.session.scalars(select(Membership).where(Membership.account_id == ruth.id)):
            one.role, one.list_id = Role.ADMIN, None
        ruth.tf_totp_secret, ruth.tf_primary_method = secret, one_time_codes.APP
    people.subscribers(clock.now(), db.session.scalars(select(MailingList)).one(), 3)
    return ruth


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_ruth_takes_a_list_out(desk: Flask, browser: Browser, ruth: Account, script: bool) -> None:
    address = desk.config["NEWSLETTER"].public_url
    with at_work(desk, browser, "Ruth Adeyemi", java_script_enabled=script) as visitor:
        page = visitor.page
        page.goto(f"{address}/desk/subscribers")
        if not script:
            page.get_by_role("link", name="Export all who match to a file").click()
            fill_in(page, ruth)
            with page.expect_download() as download:
                page.get_by_role("button", name="Export").click()
            assert Path(download.value.path()).read_text(encoding="utf-8-sig").count("\n") == 4
            return
        visitor.look("out-subscribers")
        visitor.follow("Export all who match to a file")
        visitor.look("out-asked")
        visitor.press("Export")
        expect(page.get_by_role("alert")).to_contain_text("Say what the file is for")
        visitor.look("out-wrong")
        fill_in(page, ruth)
        visitor.go_to(page.get_by_role("button", name="Export"))
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert Path(download.value.path()).read_text(encoding="utf-8-sig").count("\n") == 4
        page.goto(f"{address}/desk/settings/exports")
        expect(page.get_by_role("row", name="An audit")).to_contain_text("Ruth Adeyemi")
        visitor.look("out-record")


def fill_in(page: object, ruth: Account) -> None:
    page.get_by_label("What is it for?").fill("An audit")
    code = one_time_codes.OneTimeCodes((KEY,)).generate_totp_password(ruth.tf_totp_secret)
    page.get_by_label("Code of your app").fill(str(code))
