"""Signing in with the organisation's account in a real browser: over to another site and back, under our own policy."""

from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, SignInService

from .conftest import Visitor
from .test_desk import desk

__all__ = ["desk"]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False])
def test_over_to_the_organisation_and_back(desk: Flask, browser: Browser, scripts: bool) -> None:
    with SignInService() as service:
        settings = desk.config["NEWSLETTER"] = replace(
            desk.config["NEWSLETTER"], oidc_issuer=service.issuer, oidc_client_id=CLIENT_ID,
            oidc_client_secret=CLIENT_SECRET, oidc_second_step="there",
        )  # fmt: skip
        context = browser.new_context(viewport={"width": 320, "height": 800}, java_script_enabled=scripts)
        page = context.new_page()
        page.goto(f"{settings.public_url}/sign-in?next=/desk/account")
        if scripts:
            Visitor(page).look("sign-in-organisation")
        page.get_by_role("button", name="Sign in with your organisation’s account").click()
        if not scripts:
            page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Ruth Adeyemi")
        expect(page.get_by_text("Signs in as you since")).to_be_visible()
        context.close()
