"""What goes by itself is told beforehand, and goes on its day."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import jobs
from newsletter.db import db, transaction
from newsletter.domain.notices import send_notice
from newsletter.domain.subscribers import offering, retaining, subscribing
from newsletter.models import Activity, Notice, SignUp
from newsletter.states import NoticeState, Role
from tests import people
from tests.web.public_pages import words

DAY = timedelta(days=1)


@pytest.fixture
def signed_up(app: Flask, now: datetime) -> None:
    """Asha confirmed; Tom, who works in health, never did."""
    people.larkmere(now)
    for name, sector in (("asha", ""), ("tom", "health")):
        with transaction():
            subscribing.request_subscription(
                address=f"{name}@example.org", name=name.title(), sector=sector, network="192.0.2.0/24",
                lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
                source="sign-up form", now=now,
            )  # fmt: skip
    with transaction():
        subscribing.confirm(db.session.scalars(select(SignUp).order_by(SignUp.id)).first(), now=now)


def test_looking_tells_what_goes_and_the_run_takes_it(client: FlaskClient, signed_up: None, now: datetime) -> None:
    account = people.staff(now, role=Role.ADMIN)
    with transaction():
        send_notice("fresh_link", "asha@example.org", now=now, values={})
        for notice in db.session.scalars(select(Notice)):
            notice.state = NoticeState.REFUSED
    for days, there in ((29, "30 days 2 0 Wednesday 6 January 2027"), (31, "30 days 2 2 Wednesday 6 January 2027")):
        with time_machine.travel(now + days * DAY, tick=False):
            people.sign_in(client, account)
            page = words(client.get("/desk/settings/retention"))
            assert f"no second copy of the address {there}" in page
            assert "To whom a mail to one person went, and what it said 90 days 3 0" in page
    assert len(db.session.scalars(select(SignUp)).all()) == 2
    with time_machine.travel(now + 91 * DAY, tick=False):
        looked = {name: one.going for name, one in zip(retaining.RULES, retaining.outlook(now + 91 * DAY), strict=True)}
        jobs.purge_unconfirmed()
        assert [one.going for one in retaining.outlook(now + 91 * DAY)] == [0] * len(retaining.RULES)

    db.session.expire_all()
    (kept,) = db.session.scalars(select(SignUp))
    assert (kept.address, kept.name, kept.sector, kept.network) == ("", "", "", "")
    (told,) = db.session.scalars(select(Activity).where(Activity.action == "records.tidied"))
    assert told.detail == {name: number for name, number in looked.items() if retaining.RULES[name].tidy}
    assert told.detail["sign_ups"] == 2
    assert told.detail["notices"] == 3


def test_editors_do_not_see_it(client: FlaskClient, signed_up: None, now: datetime) -> None:
    people.sign_in(client, people.staff(now))
    assert client.get("/desk/settings/retention").status_code == 403
