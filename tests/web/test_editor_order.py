"""The order of sections, page by page, without scripts."""

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.models import Issue
from newsletter.states import Role
from tests import people
from tests.web import desk


@pytest.fixture
def issue(client: FlaskClient, now: datetime) -> Issue:
    return desk.january(now, people.larkmere(now), desk.ruth(client, now))


def headings(issue: Issue) -> list[str]:
    return [block.data["heading"] for block in issue.blocks if block.kind in ("section", "contact")]


def fields(page: str) -> dict[str, str]:
    found = dict(re.findall(r'<input[^>]* name="(p\.[^"]+)" value="([^"]*)"', page))
    return {**found, "seen": re.findall(r'name="seen" value="([^"]*)"', page)[0]}


def test_ruth_numbers_the_sections(app: Flask, client: FlaskClient, issue: Issue) -> None:
    address = f"/desk/issues/{issue.slug}/write/order"
    page = client.get(address).text
    assert "Position 3 of" in page
    form = fields(page)
    contact = next(block for block in issue.blocks if block.kind == "contact")
    section = next(block for block in issue.blocks if block.kind == "section")
    assert headings(issue) == ["Practice week", "Who to ask"]
    wrong = client.post(address, data={**form, f"p.{contact.id}": "soon"})
    assert (wrong.status_code, 'value="soon"' in wrong.text) == (422, True)
    assert "Give “Who to ask” a number from 2 to" in wrong.text
    form[f"p.{contact.id}"] = str(section.position + 1)
    assert client.post(address, data=form).status_code == 303
    assert headings(issue) == ["Who to ask", "Practice week"]
    stale = client.post(address, data=form)
    assert (stale.status_code, "nothing was moved" in stale.text) == (409, True)
    assert headings(issue) == ["Who to ask", "Practice week"]


def test_ruth_says_below_which_section_one_is_to_stand(app: Flask, client: FlaskClient, issue: Issue) -> None:
    contact = next(block for block in issue.blocks if block.kind == "contact")
    address = f"/desk/issues/{issue.slug}/write/{contact.id}/place"
    page = client.get(address).text
    assert re.search(r'<option value="\d+" selected>Below “Practice week”', page)
    offered = dict(re.findall(r'<option value="(\d+)"[^>]*>([^<]+)', page))
    for value, words in offered.items():
        assert client.post(address, data={"place": value}).status_code == 303
        order = [block.data.get("heading") or block.kind for block in issue.blocks]
        at = order.index("Who to ask")
        assert at == int(value) - 1 or order[at - 1] == "Practice week", words
        client.post(address, data={"place": str(contact.position + 1)})
    for nothing in ("", "x", "0", "٣"):
        assert client.post(address, data={"place": nothing}).status_code == 422
    masthead = issue.blocks[0]
    assert client.get(f"/desk/issues/{issue.slug}/write/{masthead.id}/place").status_code == 422
    assert client.post(f"/desk/issues/{issue.slug}/write/{masthead.id}/place", data={"place": "3"}).status_code == 422


def test_a_reader_of_the_desk_moves_nothing(app: Flask, client: FlaskClient, issue: Issue, now: datetime) -> None:
    people.sign_in(client, people.staff(now, "Ada Lindqvist", Role.VIEWER))
    contact = next(block for block in issue.blocks if block.kind == "contact")
    for address in ("order", f"{contact.id}/place"):
        assert client.get(f"/desk/issues/{issue.slug}/write/{address}").status_code in (403, 404)
        assert client.post(f"/desk/issues/{issue.slug}/write/{address}", data={"place": "2"}).status_code in (403, 404)
    assert headings(issue) == ["Practice week", "Who to ask"]
