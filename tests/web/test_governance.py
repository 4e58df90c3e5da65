"""The texts an organisation answers for, and complaints about data, from the public form to the outcome."""

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.staff import data_complaints, governance
from newsletter.models import Activity, DataComplaint, GovernanceVersion, MailingList
from newsletter.states import GovernanceText, Role
from tests import people
from tests.web.public_pages import Visitor, heading, words

TEXTS, COMPLAINTS = "/desk/settings/texts", "/desk/settings/complaints"


@pytest.fixture
def quarterly(client: FlaskClient, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def admin(client: FlaskClient, quarterly: MailingList, now: datetime) -> FlaskClient:
    people.sign_in(client, people.staff(now, role=Role.ADMIN))
    return client


@pytest.mark.parametrize("kind", list(GovernanceText))
def test_each_text_comes_with_words_that_name_the_publisher(admin: FlaskClient, kind: GovernanceText) -> None:
    text = governance.text_of(kind)
    assert len(text) > 400
    assert "{" not in text
    assert admin.get(f"{TEXTS}/{kind.value}").status_code == 200


def test_a_published_text_is_a_version_that_stays(admin: FlaskClient) -> None:
    for typed in ("We try.", "We try.", "We try harder.\n\nWrite to us."):
        assert admin.post(f"{TEXTS}/accessibility", data={"text": typed}).status_code == 303
    assert [(one.version, one.text) for one in db.session.scalars(select(GovernanceVersion))] == [
        (1, "We try."),
        (2, "We try harder.\n\nWrite to us."),
    ]
    assert "We try harder." in admin.get("/accessibility").text
    assert "Version 1, since" in admin.get(f"{TEXTS}/accessibility").text
    assert admin.post(f"{TEXTS}/breach", data={"text": " "}).status_code == 422
    assert admin.get(f"{TEXTS}/other").status_code == 404


def test_a_complaint_from_the_form_to_its_outcome(admin: FlaskClient, client: FlaskClient, now: datetime) -> None:
    visitor = Visitor(client, now)
    said = {"words": "You wrote to me after I had left.", "name": "Asha", "address": "asha@example.org"}
    sent = visitor.send("/complaints", dict(said))
    assert heading(sent) == "We have your complaint"
    one = db.session.scalars(select(DataComplaint)).one()
    assert one.reference in words(sent)
    assert one.acknowledge_by - one.received_at == timedelta(days=30)
    here = f"{COMPLAINTS}/{one.public_id}"
    assert admin.post(f"{here}/confirm").status_code == 303
    assert admin.post(here, data={"answer": ""}).status_code == 422
    assert [admin.post(here, data={"answer": "We are sorry."}).status_code for _click in range(2)] == [303, 409]
    db.session.refresh(one)
    assert (one.answer, one.answered_at is not None, data_complaints.waiting()) == ("We are sorry.", True, 0)
    recorded = [row.action for row in db.session.scalars(select(Activity)) if "complaint" in row.action]
    assert recorded == ["data_complaint.received", "data_complaint.acknowledged", "data_complaint.answered"]


def test_what_is_missing_is_said_and_what_was_typed_stays(
    client: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    page = Visitor(client, now).send("/complaints", {"words": "", "name": "Asha", "address": "nobody"})
    assert page.status_code == 422
    assert "Say what happened" in page.text
    assert 'value="Asha"' in page.text


def test_a_flood_of_complaints_keeps_ten_and_says_so(
    client: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    visitor = Visitor(client, now)
    pages = [heading(visitor.send("/complaints", {"words": f"No. {number}"})) for number in range(12)]
    assert pages == ["We have your complaint"] * 10 + ["Please send it by email"] * 2
    assert len(db.session.scalars(select(DataComplaint)).all()) == 10


def test_an_overdue_one_is_seen(admin: FlaskClient, now: datetime) -> None:
    with transaction():
        data_complaints.take("", "", "Long ago.", now=datetime.fromisoformat("2020-01-01T10:00:00+00:00"))
    assert "Overdue" in admin.get(COMPLAINTS).text


def test_editors_see_neither(client: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    people.sign_in(client, people.staff(now))
    assert [client.get(path).status_code for path in (TEXTS, COMPLAINTS)] == [403, 403]
