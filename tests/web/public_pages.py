"""A person with a browser at the public pages: opens, reads, fills in, presses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from html import unescape

import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from newsletter.db import db
from newsletter.models import SignUp
from newsletter.tokens import Purpose, Signer


class Visitor:
    """One browser, at one moment. Forms are filled in for as long as `reads_for`."""

    def __init__(self, client: FlaskClient, now: datetime) -> None:
        self.client = client
        self.now = now

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        with time_machine.travel(moment, tick=False):
            yield

    def open(self, path: str, method: str = "GET", **options: object) -> TestResponse:
        with self.at(self.now):
            return self.client.open(path, method=method, **options)

    def send(
        self,
        path: str,
        data: dict[str, object] | None = None,
        *,
        page: str | None = None,
        reads_for: timedelta = timedelta(seconds=30),
        **options: object,
    ) -> TestResponse:
        """Open the page (the path itself, if none is given), read it, send its form to `path`."""
        token = form_token(self.open(page or path))
        with self.at(self.now + reads_for):
            return self.client.post(path, data={**(data or {}), "form": token}, **options)


def form_token(response: TestResponse) -> str:
    found = re.search(r'name="form" value="([^"]+)"', response.text)
    assert found, "the page has no form"
    return found[1]


def words(response: TestResponse) -> str:
    """What stands on the page, between header and footer."""
    main = response.text.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def heading(response: TestResponse) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", response.text, re.DOTALL)
    return " ".join(unescape(found[1]).split()) if found else ""


def signed(client: FlaskClient, purpose: Purpose, sign_up: SignUp) -> str:
    signer: Signer = client.application.extensions["newsletter_signer"]
    db.session.refresh(sign_up)
    return signer.sign_id(purpose, sign_up.public_id)
