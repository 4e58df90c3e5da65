"""Everything that goes wrong, as one sentence and the way on; nothing of the inside goes out."""

import logging
import re
from collections.abc import Iterator

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from newsletter import errors
from newsletter.config import Settings
from newsletter.web.access import public

SAID = [
    (errors.NotFound("There is no such issue."), 404, "There is no such issue."),
    (errors.NotAllowed("You may not do that."), 403, "You may not do that."),
    (errors.Conflict("Ewan changed it first."), 409, "Ewan changed it first."),
    (errors.Invalid([errors.Problem("x", "Enter a date.")]), 422, "Enter a date."),
    (errors.TokenExpired("This link is over."), 410, "This link is over."),
    (errors.TokenInvalid("This link is cut short."), 400, "This link is cut short."),
    (errors.RelayDown("the password is swordfish"), 500, "Something is wrong on our side"),
    (ZeroDivisionError("swordfish"), 500, "Something is wrong on our side"),
]


@pytest.fixture
def raising(app: Flask) -> Iterator[dict[str, Exception]]:
    """Put an error in, get /raise."""
    what: dict[str, Exception] = {}
    app.testing = False

    @public
    def view() -> str:
        raise what["error"]

    app.add_url_rule("/raise", "raise", view)
    app.add_url_rule("/api/v1/raise", "raise_for_machines", view)
    yield what


@pytest.mark.parametrize(("error", "status", "sentence"), SAID)
def test_each_error_is_a_page(
    client: FlaskClient, raising: dict[str, Exception], error: Exception, status: int, sentence: str
) -> None:
    raising["error"] = error
    answer = client.get("/raise")

    assert answer.status_code == status
    assert sentence in answer.text
    assert "swordfish" not in answer.text
    assert "Traceback" not in answer.text


def test_an_error_of_ours_has_a_number_that_stands_in_the_log(
    client: FlaskClient, raising: dict[str, Exception], caplog: pytest.LogCaptureFixture
) -> None:
    raising["error"] = ZeroDivisionError("swordfish")
    with caplog.at_level(logging.ERROR, logger="newsletter"):
        found = re.search(r"quote ([0-9a-f]{8})\.", client.get("/raise").text)

    assert found
    assert found.group(1) in caplog.text
    assert "swordfish" in caplog.text


def test_machines_get_json(client: FlaskClient, raising: dict[str, Exception]) -> None:
    raising["error"] = errors.NotFound("There is no such issue.")

    for answer in (client.get("/api/v1/raise"), client.get("/raise", headers={"Accept": "application/json"})):
        assert (answer.status_code, answer.json) == (404, {"error": "There is no such issue."})
    assert client.get("/raise", headers={"Accept": "*/*"}).mimetype == "text/html"


@pytest.mark.parametrize("status", [400, 403, 404, 405, 408, 410, 413, 414, 418, 429, 503])
def test_each_status_is_a_page(app: Flask, client: FlaskClient, status: int) -> None:
    app.add_url_rule("/status", "status", public(lambda: abort(status)))

    answer = client.get("/status")
    assert answer.status_code == status
    assert "<h1" in answer.text


def test_what_http_asks_for_is_there(client: FlaskClient) -> None:
    answer = client.post("/healthz", headers={"Sec-Fetch-Site": "none"})

    assert answer.status_code in (400, 405)
    assert set(client.get("/sign-out").headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_too_large_is_said_in_words(client: FlaskClient) -> None:
    answer = client.post("/sign-in", data=b"x" * 26 * 1024 * 1024, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 413
    assert "Send less text" in answer.text


def test_a_page_says_so_even_when_the_database_is_away(app: Flask, client: FlaskClient) -> None:
    from newsletter.db import db

    db.session.remove()
    db.drop_all()
    app.testing = False
    answer = client.get("/sign-in")

    assert answer.status_code == 500
    assert "Something is wrong on our side" in answer.text


@pytest.mark.parametrize("path", ["/%00", "/desk/%ff%fe", "/news/" + "a" * 5000, "/desk/staff/999999999999999999999"])
def test_odd_addresses_are_not_found_and_no_fault(client: FlaskClient, settings: Settings, path: str) -> None:
    assert client.get(path).status_code in (302, 400, 404)
