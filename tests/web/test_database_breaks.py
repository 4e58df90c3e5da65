"""The connection to PostgreSQL breaks at each moment of a request: the page comes, or it says when to try again."""

import contextvars
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, make_url, select
from werkzeug.test import TestResponse

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery.notices.links import unsubscribe_link
from newsletter.models import Subscription
from newsletter.states import Role, SubscriptionState
from tests import people
from tests.databases import on_postgres
from tests.postgres import Cluster

pytestmark = on_postgres
_MOST_STATEMENTS = 200


class Axe:
    """Ends the session of the database behind whoever has just done their `at`-th statement, or commit."""

    def __init__(self, settings: Settings) -> None:
        words = settings.database_url.replace("postgresql+psycopg", "postgresql")
        self._connection = psycopg.connect(words, autocommit=True)
        self.at = self.seen = 0
        self.fell = False

    def falls(self, connection: Any) -> None:
        self.seen += 1
        if self.seen == self.at:
            pid = connection.connection.driver_connection.info.backend_pid
            self._connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            self.fell = True

    def set_at(self, number: int) -> None:
        self.at, self.seen, self.fell = number, 0, False

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def axe(app: Flask, settings: Settings) -> Iterator[Axe]:
    axe = Axe(settings)
    event.listen(db.engine, "after_cursor_execute", lambda connection, *_: axe.falls(connection))
    app.testing = False
    yield axe
    axe.close()


def ask(app: Flask, method: str, path: str, account: Any = None) -> TestResponse:
    """One request as a server has it: with a context of its own, which ends with it."""

    def alone() -> TestResponse:
        client = app.test_client()
        if account is not None:
            client.set_cookie("__Host-newsletter", account)
        return client.open(path, method=method, data={"List-Unsubscribe": "One-Click"} if method == "POST" else None)

    return contextvars.Context().run(alone)


def heading(answer: TestResponse) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    return found[1].strip() if found else ""


def cookie_of(app: Flask, role: Role, now: datetime) -> str:
    client = app.test_client()
    people.sign_in(client, people.staff(now, "Ruth Adeyemi", role))
    cookie = client.get_cookie("__Host-newsletter")
    assert cookie is not None
    return cookie.value


def answers(axe: Axe, request: Callable[[], TestResponse]) -> list[TestResponse]:
    """The answers of as many requests as it has statements, each cut off after another one."""
    found: list[TestResponse] = []
    while len(found) < _MOST_STATEMENTS:
        axe.set_at(len(found) + 1)
        answer = request()
        if not axe.fell:
            return found
        found.append(answer)
    raise AssertionError("this page asks the database for ever")


@pytest.mark.parametrize("path", ["/", "/subscribe", "/news", "/desk", "/desk/subscribers", "/sign-in"])
def test_a_page_comes_or_says_when_to_try_again(app: Flask, axe: Axe, now: datetime, path: str) -> None:
    people.subscribers(now, people.larkmere(now), 3)
    account = cookie_of(app, Role.ADMIN, now)
    axe.set_at(0)
    whole = ask(app, "GET", path, account)
    found = answers(axe, lambda: ask(app, "GET", path, account))
    assert found
    for answer in found:
        assert (answer.status_code, answer.headers.get("Retry-After")) in ((whole.status_code, None), (503, "120"))
        assert answer.status_code != 503 or "Nothing was changed" in answer.text
    axe.set_at(0)
    # With the last statement all is known that the page says.
    assert found[-1].status_code == whole.status_code
    assert heading(ask(app, "GET", path, account)) == heading(whole)


def test_while_nobody_is_let_in_every_page_says_when_to_try_again(
    app: Flask, settings: Settings, postgres_cluster: Cluster, now: datetime
) -> None:
    people.larkmere(now)
    account = cookie_of(app, Role.ADMIN, now)
    name = make_url(settings.database_url).database
    db.session.remove()
    db.engine.dispose()
    app.testing = False
    postgres_cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        found = {path: ask(app, "GET", path, account) for path in ("/", "/desk", "/sign-in", "/news/december-2026")}
    finally:
        postgres_cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    for answer in found.values():
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "120")
        assert "This cannot be done at the moment" in answer.text
    assert ask(app, "GET", "/desk", account).status_code == 200


def test_a_wish_to_leave_is_done_or_known_to_be_undone(app: Flask, axe: Axe, now: datetime) -> None:
    [theirs] = people.subscribers(now, people.larkmere(now), 1)
    number, path = theirs.id, unsubscribe_link(theirs.public_id).removeprefix("https://news.example.org")
    states = set()

    def leaves() -> TestResponse:
        at = axe.at
        axe.set_at(0)
        with transaction() as session:
            again = session.get_one(Subscription, number)
            again.state, again.left_at = SubscriptionState.ACTIVE, None
        axe.set_at(at)
        answer = ask(app, "POST", path)
        at, fell = axe.at, axe.fell
        axe.set_at(0)
        left = db.session.scalar(select(Subscription.state).where(Subscription.id == number)) is SubscriptionState.LEFT
        db.session.rollback()
        axe.at, axe.fell = at, fell
        states.add((answer.status_code, left))
        if answer.status_code == 503 and "Nothing was changed" not in answer.text:
            assert "It may have been saved, or not" in answer.text
        else:
            assert left is (answer.status_code == 200)
        return answer

    assert {each.status_code for each in answers(axe, leaves)} == {200, 503}
    assert states == {(200, True), (503, False), (503, True)}
