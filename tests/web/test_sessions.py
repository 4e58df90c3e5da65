"""Sessions: a cookie that carries little, a row that can be ended, and no write by reading."""

from datetime import datetime

from flask import Flask
from flask.testing import FlaskClient

from tests import people


def test_a_signed_in_person_sees_their_account_page(app: Flask, client: FlaskClient, now: datetime) -> None:
    people.larkmere(now)
    people.sign_in(client, people.staff(now))

    assert client.get("/desk/account").status_code == 200


def test_nobody_is_asked_to_sign_in_first(client: FlaskClient) -> None:
    answer = client.get("/desk/account")

    assert (answer.status_code, answer.location) == (302, "/sign-in?next=/desk/account")
