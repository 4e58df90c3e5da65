"""What went wrong in programs like this one, tried on ours at the doors of subscribers.

Others of the kind stand beside what they are about: private lists and forms (test_public_signing_up), links of somebody
else (test_public_leaving), another address (test_public_address), times that tell (test_equal_work).
"""

import io
import zipfile
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.subscribers import moving_in, subscribing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import ImportRun, MailingList, SignUp, Subscriber
from tests import people
from tests.web.public_pages import Visitor, form_token

TOM = "tom.example@example.org"
IMPORTS = "/desk/subscribers/imports"


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def staff(app: Flask, quarterly: MailingList, now: datetime) -> FlaskClient:
    client = app.test_client()
    people.sign_in(client, people.staff(now))
    return client


@pytest.mark.parametrize(
    "name", ['{{ env "NEWSLETTER_PROBE" }}', "{{ 7*7 }}{{ config }}", "{% import os %}", "{unsubscribe_url}", "${7*7}"]
)
def test_a_name_is_no_template(
    client: FlaskClient,
    staff: FlaskClient,
    relay: MemoryRelay,
    now: datetime,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CVE-2025-49136: a template's function read the environment. Names are words, in mails and on pages."""
    monkeypatch.setenv("NEWSLETTER_PROBE", "a-secret-of-the-machine")
    visitor = Visitor(client, now)
    visitor.send("/subscribe", {"email": TOM, "lists": "safeguarding-news", "name": name, "organisation": name})
    deliver_notices(now + timedelta(minutes=1))
    with transaction():
        subscribing.confirm(db.session.scalars(select(SignUp)).one(), now=now)
    tom = db.session.scalars(select(Subscriber)).one()
    pages = [staff.get(f"/desk/subscribers/{tom.public_id}{more}").text for more in ("", "/consent")]
    pages.append(staff.get("/desk/subscribers").text)
    mails = [one.message.decode() for one in relay.accepted]
    assert tom.name == name and mails
    assert all(name in unescape(page) for page in pages)
    for text in (*pages, *mails):
        assert "a-secret-of-the-machine" not in text and ">49" not in text and "SECRET_KEY" not in text


def test_a_link_in_a_mail_leads_to_us_whatever_a_request_says(
    client: FlaskClient, quarterly: MailingList, relay: MemoryRelay, now: datetime
) -> None:
    """PYSEC-2021-18: the Host of whoever asked stood in the links of a mail to somebody else."""
    visitor = Visitor(client, now)
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    with visitor.at(now):
        token = form_token(client.get("/subscribe"))
    with visitor.at(now + timedelta(seconds=10)):
        client.post("/subscribe", data={"email": TOM, "lists": "safeguarding-news", "form": token}, headers=evil)
    deliver_notices(now + timedelta(minutes=1))
    (mail,) = [one.message.decode().replace("=\r\n", "") for one in relay.accepted]
    assert "evil.example" not in mail
    assert "https://news.example.org/confirm/" in mail


def packed(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def send(staff: FlaskClient, archive: bytes) -> int:
    return staff.post(IMPORTS, data={"file": (io.BytesIO(archive), "people.zip")}).status_code


def test_nothing_of_an_uploaded_archive_is_kept_but_its_sheets_under_names_of_ours(
    staff: FlaskClient, tmp_path: Path
) -> None:
    """CVE-2020-22249: a ZIP brought a program, and it was run. None is unpacked, and no name says where to."""
    sheet = "Email Address\nasha@example.org\n"
    evil = {"../../../escaped.csv": sheet, "/absolute.csv": sheet, "x.php": "<?php", "run.py": "1", "a.csv/b.sh": "x"}
    before = {path for path in tmp_path.parent.rglob("*") if "escaped" in path.name or "absolute" in path.name}
    assert send(staff, packed(**evil)) == 303
    found = {path for path in tmp_path.rglob("*") if path.is_file() and "imports" in path.parts}
    assert {path.name for path in found} <= {"upload", "part1.csv", "part2.csv", "report.csv", "lock"}
    assert not any(path.stat().st_mode & 0o111 for path in found), "none can be run"
    after = {path for path in tmp_path.parent.rglob("*") if "escaped" in path.name or "absolute" in path.name}
    assert after == before and not Path("/absolute.csv").exists()


def test_an_archive_that_grows_is_stopped(staff: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred bytes become a gigabyte; it ends while it is unpacked, and nothing of it stays."""
    monkeypatch.setattr(moving_in, "LARGEST", 3_000_000)
    bomb = packed(**{"people.csv": "email\n" + "a@example.org\n" * 1_000_000})
    assert len(bomb) < 60_000
    assert send(staff, bomb) == 422
    assert db.session.scalars(select(ImportRun)).all() == []
    assert [path for path in tmp_path.rglob("*.csv") if "imports" in path.parts] == []
