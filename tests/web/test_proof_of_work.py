"""The sum behind the sign-up form: what it costs a machine to go without, to cheat, and to send an answer twice."""

import hashlib
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.config import Settings
from newsletter.db import db
from newsletter.models import LimitCounter, MailingList, SignUp
from newsletter.web.public import proof_of_work
from tests import people
from tests.conftest import KEY
from tests.dump import dump
from tests.web.public_pages import Visitor, form_token, heading

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    return Settings(
        data_dir=tmp_path,
        database_url=url,
        public_url="https://news.example.org",
        secret_keys=(KEY,),
        proof_of_work=True,
    )


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def visitor(client: FlaskClient, quarterly: MailingList, now: datetime) -> Visitor:
    return Visitor(client, now)


def asked(visitor: Visitor) -> dict[str, str]:
    """The sum, as it stands in the form."""
    page = visitor.open("/subscribe")
    return {"token": form_token(page), **dict(re.findall(r'data-(salt|ends|challenge|seal|below)="(\w+)"', page.text))}


def answer(found: dict[str, str]) -> str:
    """As the browser works it out."""
    number = next(
        number
        for number in range(int(found["below"]))
        if hashlib.sha256(f"{found['salt']}.{number}".encode()).hexdigest() == found["challenge"]
    )
    return ".".join([found["salt"], found["ends"], found["challenge"], found["seal"], str(number)])


def sign_up(visitor: Visitor, name: str, token: str, work: str, after: timedelta = 30 * SECOND) -> bool:
    """Whether it was taken. The page says the same in every case."""
    data = {"email": f"{name}@example.org", "lists": "safeguarding-news", "form": token, "work": work}
    with visitor.at(visitor.now + after):
        page = visitor.client.post("/subscribe", data=data)
    assert (page.status_code, heading(page)) == (200, "Check your inbox")
    db.session.rollback()
    return db.session.scalar(select(SignUp.id).where(SignUp.address == f"{name}@example.org")) is not None


def test_with_the_sum_a_council_signs_up_and_without_it_three(visitor: Visitor) -> None:
    solved = []
    for number in range(6):
        found = asked(visitor)
        solved.append(sign_up(visitor, f"reader{number}", found["token"], answer(found)))
    assert solved == [True] * 6
    token = asked(visitor)["token"]
    assert [sign_up(visitor, f"other{number}", token, "") for number in range(5)] == [True] * 3 + [False] * 2


def test_an_answer_counts_once_and_for_ten_minutes(visitor: Visitor) -> None:
    """Used again, too late, or dated ahead, it is none: those come under the stricter limits."""
    found = asked(visitor)
    work = answer(found)
    assert [sign_up(visitor, f"again{number}", found["token"], work) for number in range(6)] == [True] * 4 + [False] * 2
    late = answer(asked(visitor))
    with (
        visitor.at(visitor.now + 10 * MINUTE),
        visitor.client.application.test_request_context("/subscribe", method="POST", data={"work": late}),
    ):
        assert proof_of_work.is_missing(visitor.now + 10 * MINUTE)
    with visitor.client.application.test_request_context("/subscribe", method="POST", data={"work": late}):
        assert not proof_of_work.is_missing(visitor.now + 10 * MINUTE - SECOND)
    kept = select(func.count()).where(LimitCounter.key.startswith("proof of work:"))
    assert db.session.scalar(kept) == 2


def test_what_was_not_asked_is_no_answer(visitor: Visitor, now: datetime) -> None:
    """A sum of one's own, a wrong number, another end, and what is no answer at all."""
    found = asked(visitor)
    good = answer(found).split(".")
    own_sum = hashlib.sha256(b"mine.1").hexdigest()
    for parts in (
        ["mine", good[1], own_sum, good[3], "1"],
        [*good[:4], str(int(good[4]) + 1)],
        [good[0], str(int(good[1]) + 60), *good[2:]],
        [*good[:3], "0" * 64, good[4]],
        ["", "", "", "", ""], ["é"] * 5, ["1" * 200] * 5, good[:4], [*good[:4], "-1"], [*good[:4], "9" * 5000],
    ):  # fmt: skip
        with visitor.client.application.test_request_context(
            "/subscribe", method="POST", data={"work": ".".join(parts)}
        ):
            assert proof_of_work.is_missing(now + SECOND), parts
    with visitor.client.application.test_request_context("/subscribe", method="POST", data={"work": ".".join(good)}):
        assert not proof_of_work.is_missing(now + SECOND)


def test_looking_stores_nothing(visitor: Visitor) -> None:
    before = dump()
    assert asked(visitor)["seal"] != asked(visitor)["seal"]
    assert dump() == before


def test_it_is_off_unless_somebody_turns_it_on() -> None:
    assert not Settings(data_dir=Path(), database_url="sqlite://", secret_keys=(KEY,)).proof_of_work
