"""What administrators set up for sign-ups: the sectors to choose from, and a form for other websites."""

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.subscribers import sectors
from newsletter.models import MailingList
from newsletter.states import Role
from tests import people


@pytest.fixture(autouse=True)
def _in_december(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def admin(app: Flask, client: FlaskClient, now: datetime) -> FlaskClient:
    people.larkmere(now)
    people.sign_in(client, people.staff(now, "Ewan Brodie", Role.ADMIN))
    return client


def test_the_sectors_are_worded_on_one_page(admin: FlaskClient) -> None:
    page = admin.get("/desk/settings/sectors").text
    assert page.count('name="kept"') == page.count(" checked") == 6
    sent = {"name_health": "NHS", "name_education": "Schools", "kept": ["health", "education"], "added": "Housing"}
    assert admin.post("/desk/settings/sectors", data=sent).status_code == 303
    assert [one.name for one in sectors.offered()] == ["NHS", "Schools", "Housing"]
    offered = re.findall(r"<option value=\"([^\"]*)\"", admin.get("/subscribe").text)
    assert offered == ["", "health", "education", "housing"]


def test_what_is_wrong_with_a_sector_is_said_and_what_was_typed_stays(admin: FlaskClient) -> None:
    answer = admin.post("/desk/settings/sectors", data={"name_health": "Police", "kept": ["health"], "added": "x" * 81})
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert "“Police” is there twice" in page and "Enter a name of 80 characters or fewer" in page
    assert 'value="Police"' in page and "Error: " in page.partition("</title>")[0]
    assert next(one.slug for one in sectors.offered()) == "health" and sectors.names()["health"] == "Health"


def test_the_form_to_embed_is_plain_html_that_posts_to_us(admin: FlaskClient, now: datetime) -> None:
    page = admin.get("/desk/settings/sign-up-form").text
    html = unescape(unescape(re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[0]))
    assert '<form action="https://news.example.org/subscribe" method="post"' in html
    assert 'name="lists" value="safeguarding-news"' in html and "for nothing else." in html
    assert not re.search(r"<script|<style|style=|onclick|class=|http://", html)
    people.policy_changes(now)
    forms = re.findall(r"<textarea[^>]*>(.*?)</textarea>", admin.get("/desk/settings/sign-up-form").text, re.DOTALL)
    assert len(forms) == 3 and forms[0].count("checkbox") == 2 and "checked" not in forms[0]


def test_the_subscribers_page_says_what_is_worth_knowing(admin: FlaskClient, now: datetime) -> None:
    reader = people.subscribers(now, db.session.scalars(select(MailingList)).one(), 1)[0].subscriber
    assert reader is not None
    with transaction():
        reader.address = reader.address_key = "office@yopmail.com"
        reader.sector = "health"
    page = admin.get(f"/desk/subscribers/{reader.public_id}").text
    assert "Sector: Health" in page and "A shared mailbox" in page and "A throwaway address" in page


def test_only_administrators_reword_them(app: Flask, client: FlaskClient, now: datetime) -> None:
    people.larkmere(now)
    people.sign_in(client, people.staff(now))
    for path in ("/desk/settings/sectors", "/desk/settings/sign-up-form"):
        assert client.get(path).status_code == 403
