"""By what right a list is sent to people: chosen for each, and what follows from it at the other doors."""

import re
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import jobs
from newsletter.db import db, transaction
from newsletter.domain.staff import mailing_lists
from newsletter.domain.subscribers import importing, preferences, renewal_rules
from newsletter.models import Activity, ImportRun, MailingList, Subscriber
from newsletter.states import LawfulBasis, Role
from newsletter.tokens import Purpose, Signer
from tests import people
from tests.web.test_imports import describe, upload

ASKED = "You get this newsletter because you asked for “Safeguarding news”."


@pytest.fixture
def quarterly(now: datetime, client: FlaskClient) -> MailingList:
    made = people.larkmere(now)
    people.sign_in(client, people.staff(now, "Ewan Brodie", Role.ADMIN))
    return made


def edit(client: FlaskClient, **more: str) -> MailingList:
    """The list's page as it is filled in, with one thing changed."""
    found = db.session.scalars(select(MailingList)).one()
    fields = {name: value for name, value in vars(mailing_lists.details_of(found)).items() if value is not False}
    answer = client.post("/desk/lists/safeguarding-news", data={**fields, **more})
    assert answer.status_code == 303, answer.text
    db.session.rollback()
    return db.session.scalars(select(MailingList)).one()


def test_consent_is_what_nobody_has_to_choose(client: FlaskClient, quarterly: MailingList) -> None:
    page = unescape(client.get("/desk/lists/new").text)
    assert re.search(r'name="lawful_basis" type="radio" value="consent" checked', page)
    assert "write down which task, and which law" in page
    assert "Not for public bodies doing their task" in page


def test_the_foot_of_the_mail_says_it(client: FlaskClient, quarterly: MailingList) -> None:
    with transaction():
        quarterly.why = ASKED
    changed = edit(client, lawful_basis="public_task")
    assert changed.lawful_basis is LawfulBasis.PUBLIC_TASK
    assert "the work of public bodies needs it. You may object at any time" in changed.why
    action = db.session.scalars(select(Activity).where(Activity.action == "list.changed")).one()
    assert sorted(action.detail["fields"]) == ["lawful_basis", "why"]
    assert not renewal_rules.silence_ends(changed)
    assert edit(client, lawful_basis="consent").why == ASKED


def test_words_of_one_s_own_stay(client: FlaskClient, quarterly: MailingList) -> None:
    with transaction():
        quarterly.why = "You work with children in Larkmere."
    assert edit(client, lawful_basis="legitimate_interests").why == "You work with children in Larkmere."


def test_who_is_brought_in_need_not_have_agreed(client: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    """The page asks for the source and the right instead; the evidence keeps both."""
    sheet = "Mail;Who;Firm\nasha@example.org;Asha Patel;Oakfield School\n"
    where = upload(client, sheet)
    page = unescape(client.get(where).text)
    assert "Where and when did they agree?" in page and "They have agreed already" in page
    edit(client, lawful_basis="public_task")
    page = unescape(client.get(where).text)
    assert "Where do the addresses come from, and since when?" in page
    assert "A public body’s task needs it: they get the next issue, and may object" in page
    refused = client.post(f"{where}/look", data=describe(source="Staff directory, 2026", note=" "))
    assert refused.status_code == 422, "the right is said too"
    client.post(f"{where}/look", data=describe(source="Staff directory, 2026", note="Children Act 2004, s 13."))
    jobs.run_import(db.session.scalars(select(ImportRun.id)).one())
    client.post(f"{where}/start")
    jobs.run_import(db.session.scalars(select(ImportRun.id)).one())
    db.session.rollback()
    asha = db.session.scalars(select(Subscriber)).one()
    evidence = unescape(client.get(f"/desk/subscribers/{asha.public_id}/consent").text)
    assert "Public task: it is needed for the work of a public body. They may object at any time." in evidence
    assert "Children Act 2004, s 13." in evidence


def test_people_read_where_we_have_their_address_from(
    client: FlaskClient, quarterly: MailingList, now: datetime, tmp_path: Path
) -> None:
    """On the page that each mail leads to; not whoever asked themselves."""
    (mine,) = people.subscribers(now, quarterly, 1)
    (tmp_path / "people.csv").write_text("email\nasha@example.org\n")
    importing.import_csv(tmp_path / "people.csv", quarterly, source="Staff directory, 2026", actor=None, now=now)
    signer: Signer = client.application.extensions["newsletter_signer"]

    def page(address: str) -> str:
        who = db.session.scalars(select(Subscriber).where(Subscriber.address == address)).one()
        token = signer.sign_id(Purpose.PREFERENCES, who.subscriptions[0].public_id)
        return unescape(client.get(f"/preferences/{token}").text)

    sentence = "Safeguarding news: we have your address from “Staff directory, 2026”, since Monday 7 December 2026."
    assert sentence in page("asha@example.org")
    assert mine.subscriber is not None
    assert "we have your address from" not in page(mine.subscriber.address)
    asha = db.session.scalars(select(Subscriber).where(Subscriber.address == "asha@example.org")).one()
    assert [source for _list, source, _at in preferences.brought_in(asha)] == ["Staff directory, 2026"]
