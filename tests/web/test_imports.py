"""Bringing people in from a file by the pages, and going on when something comes between."""

import io
import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from newsletter import jobs
from newsletter.config import current_settings
from newsletter.db import db, transaction
from newsletter.domain.subscribers import import_files, import_runs, importing
from newsletter.models import Consent, ImportRun, MailingList, Notice, Subscriber, Subscription
from newsletter.states import ImportState, Role
from tests import people
from tests.dump import dump
from tests.web import desk

SHEET = (
    "Mail;Who;Firm\nasha@example.org;Asha Patel;Oakfield School\nnot an address;X;\n"
    "tom@example.org;Tom Hargreave;\nASHA@example.org;Asha again;\n"
)


@pytest.fixture(autouse=True)
def _today(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def quarterly(now: datetime) -> MailingList:
    return people.larkmere(now)


def upload(client: FlaskClient, content: str, name: str = "people.csv") -> str:
    """The address of the import's page."""
    answer = client.post(
        "/desk/subscribers/imports", data={"file": (io.BytesIO(content.encode("cp1252")), name)}, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def describe(**more: str) -> dict[str, str]:
    said = {"c0.0": "email", "c0.1": "name", "c0.2": "organisation", "source": "Conference, 3 October 2026"}
    return {**said, "how": "agreed", "note": "They ticked a box; the sheets are in the office.", **more}


def the_run() -> ImportRun:
    db.session.rollback()
    return db.session.scalars(select(ImportRun)).one()


def work() -> ImportRun:
    """What the worker does, and the import afterwards."""
    jobs.run_import(the_run().id)
    return the_run()


def on_the_list() -> list[str]:
    return list(db.session.scalars(select(Subscriber.address).order_by(Subscriber.address)))


def test_ruth_brings_in_a_sheet(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    """Uploaded, understood, looked through, brought in; the report names the lines nobody came of."""
    desk.ruth(client, now)
    assert "Bring people in" in client.get("/desk/subscribers").text
    where = upload(client, SHEET)
    page = client.get(where).text
    assert "UTF-8, divided by semicolons, names of columns in the first line" in page
    assert "asha@example.org, not an address" in page
    assert re.search(r'value="ask"[^>]*checked', page) and not re.search(r'value="agreed"[^>]*checked', page)

    missing = client.post(f"{where}/look", data={"c0.1": "name", "how": "agreed"})
    assert missing.status_code == 422
    for sentence in ("Say which column holds", "Say where these people agreed", "Say how it can be shown"):
        assert sentence in missing.text

    before = [line for line in dump() if "import_run" not in line]
    client.post(f"{where}/look", data=describe())
    assert "Looking through the file" in client.get(where).text
    assert "data-poll" in client.get(f"{where}/part").text
    assert import_runs.looked(work())
    assert [line for line in dump() if "import_run" not in line] == before
    page = client.get(where).text
    assert "2 people would come" in page
    assert "Enter one email address, without spaces." in page
    assert client.get(f"{where}/part").headers["HX-Refresh"] == "true"

    client.post(f"{where}/start")
    client.post(f"{where}/start")  # a double click
    run = work()
    assert run.state is ImportState.DONE
    assert (run.rows, run.counts["added"], run.counts["bad"], run.counts["duplicates"]) == (4, 2, 1, 1)
    assert on_the_list() == ["asha@example.org", "tom@example.org"]
    consent = db.session.scalars(select(Consent)).first()
    assert consent is not None
    assert (consent.source, consent.note) == (
        "Conference, 3 October 2026",
        "They ticked a box; the sheets are in the office.",
    )
    assert "2 people came" in client.get(where).text
    report = client.post(f"{where}/report.csv")
    assert report.text.splitlines()[1:] == [
        '"3","not an address","bad","Enter one email address, without spaces."',
        '"5","ASHA@example.org","duplicates","A second line for one address."',
    ]
    assert sorted(path.name for path in import_files.folder_of(run.public_id).iterdir()) == ["lock", "report.csv"]
    client.post(f"{where}/remove")
    assert not import_files.folder_of(run.public_id).exists()
    assert on_the_list() == ["asha@example.org", "tom@example.org"]


def test_an_import_goes_on_in_another_data_folder(
    app: Flask, client: FlaskClient, now: datetime, quarterly: MailingList, tmp_path: Path
) -> None:
    """As after a restore, or on another machine that shares the folder: what stood in the ZIP is taken out again."""
    desk.ruth(client, now)
    archive = io.BytesIO()
    with ZipFile(archive, "w") as zipped:
        zipped.writestr("people.csv", SHEET)
    answer = client.post("/desk/subscribers/imports", data={"file": (io.BytesIO(archive.getvalue()), "people.zip")})
    client.post(f"{answer.location}/look", data=describe())
    work()
    client.post(f"{answer.location}/start")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "imports").rename(elsewhere / "imports")
    for part in elsewhere.glob("imports/*/part*.csv"):
        part.unlink()
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], data_dir=elsewhere)
    assert work().state is ImportState.DONE
    assert on_the_list() == ["asha@example.org", "tom@example.org"]


def test_they_are_asked(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    """Nobody is subscribed: each gets one mail with the button."""
    desk.ruth(client, now)
    where = upload(client, SHEET)
    client.post(f"{where}/look", data=describe(how="ask", note=""))
    work()
    assert "2 people would be asked" in client.get(where).text
    client.post(f"{where}/start")
    assert work().counts["asked"] == 2
    assert "2 people were asked" in client.get(where).text
    assert on_the_list() == []
    assert sorted(db.session.scalars(select(Notice.address))) == ["asha@example.org", "tom@example.org"]


def many(client: FlaskClient) -> str:
    """An import of 50 lines, ten at a time, begun and not done."""
    where = upload(client, "email\n" + "".join(f"p{number:02}@example.org\n" for number in range(49)) + "bad\n")
    client.post(f"{where}/look", data={**describe(), "c0.1": "", "c0.2": ""})
    work()
    client.post(f"{where}/start")
    return where


def test_it_goes_on_where_it_died(
    client: FlaskClient, now: datetime, quarterly: MailingList, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two batches, and once after the report was written and before the commit."""
    monkeypatch.setattr(importing, "BATCH", 10)
    desk.ruth(client, now)
    many(client)
    writes = iter([None, None, KeyboardInterrupt])
    kept = import_files.add_to_report

    def dies(*words: object) -> int:
        ends = kept(*words)
        if next(writes, None) is not None:
            raise KeyboardInterrupt
        return ends

    monkeypatch.setattr(import_files, "add_to_report", dies)
    with pytest.raises(KeyboardInterrupt):
        work()
    run = the_run()
    assert (run.state, run.done_rows, len(on_the_list())) == (ImportState.RUNNING, 20, 20)
    jobs.continue_imports()
    run = the_run()
    assert (run.state, run.done_rows, run.counts["added"], run.counts["bad"]) == (ImportState.DONE, 50, 49, 1)
    assert db.session.scalar(select(func.count(Subscription.id))) == 49
    assert import_files.report_of(run.public_id).read_text().count("bad") == 2  # the word, and the line


def test_it_is_stopped_and_goes_on(
    client: FlaskClient, now: datetime, quarterly: MailingList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    desk.ruth(client, now)
    where = many(client)
    taken = importing.take
    seen: list[int] = []

    def presses_stop(*words: object, **more: object) -> object:
        seen.append(1)
        counts = taken(*words, **more)
        if len(seen) == 2:
            db.session.get_one(ImportRun, 1).state = ImportState.STOPPED  # as the page does, at this moment
        return counts

    monkeypatch.setattr(importing, "take", presses_stop)
    run = work()
    assert (run.state, run.done_rows) == (ImportState.STOPPED, 20)
    assert "20 of 50 lines" in client.get(where).text
    client.post(f"{where}/go-on")
    run = work()
    assert (run.state, run.counts["added"], len(on_the_list())) == (ImportState.DONE, 49, 49)


def test_only_one_works_on_it(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    desk.ruth(client, now)
    many(client)
    run = the_run()
    with import_files.only_here(run.public_id) as mine:
        assert mine
        assert work().state is ImportState.RUNNING
    assert work().state is ImportState.DONE


def test_a_fault_is_told_and_nothing_is_lost(
    client: FlaskClient, now: datetime, quarterly: MailingList, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ruth(client, now)
    where = many(client)
    with monkeypatch.context() as broken:
        broken.setattr(importing, "take", lambda *_words, **_more: 1 / 0)
        assert work().state is ImportState.FAILED
    assert "Something went wrong while it was under way." in client.get(where).text
    client.post(f"{where}/go-on")
    assert work().counts["added"] == 49


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("", "The file is empty."), ("name\nAsha\n", "The file has no column of email addresses.")],
)
def test_a_file_that_is_none(
    content: str, sentence: str, client: FlaskClient, now: datetime, quarterly: MailingList
) -> None:
    desk.ruth(client, now)
    answer = client.post("/desk/subscribers/imports", data={"file": (io.BytesIO(content.encode()), "x.csv")})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert db.session.scalar(select(func.count(ImportRun.id))) == 0
    imports = current_settings().data_dir / "imports"
    assert list(imports.iterdir()) == []


def test_who_may_not(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    """A viewer brings nobody in, and sees no import of others."""
    desk.ruth(client, now)
    where = upload(client, SHEET)
    people.sign_in(client, people.staff(now, "Vera Lowe", Role.VIEWER))
    assert client.get("/desk/subscribers/imports").status_code == 403
    assert client.get(where).status_code == 403
    assert client.post(f"{where}/report.csv").status_code == 403
    assert "Bring people in" not in client.get("/desk/subscribers").text


def test_files_are_not_kept_for_ever(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    desk.ruth(client, now)
    upload(client, SHEET)
    run = the_run()
    with transaction():
        assert import_runs.forget_old(now) == 0
    with transaction():
        assert import_runs.forget_old(now + import_runs._LEFT_LYING) == 1
    assert not import_files.folder_of(run.public_id).exists()


def test_a_report_goes_with_whoever_is_forgotten(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    desk.ruth(client, now)
    where = upload(client, SHEET)
    client.post(f"{where}/look", data=describe())
    run = work()
    reports = current_settings().data_dir / "imports"
    import_files.forget_addresses(["helen@example.org"])
    assert len(list(reports.glob("*/report.csv"))) == 1
    import_files.forget_addresses(["helen@example.org", "Asha@example.org"])
    assert list(reports.glob("*/report.csv")) == []
    assert not import_files.report_of(run.public_id).exists()
    client.post(f"{where}/report.csv")
    assert "The report is no longer kept." in client.get(where).text


class Typed(io.RawIOBase):
    """A form with a large file of people in it, made while it is read: the test itself holds none of it."""

    LINE = b"reader%07d@example.org,Reader,Oakfield School\r\n"

    def __init__(self, lines: int) -> None:
        self.head = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n\r\nemail,name,firm\r\n'
        )
        self.tail = b"\r\n--x--\r\n"
        self.size = len(self.head) + lines * len(self.LINE % 0) + len(self.tail)
        self._pieces = self._made(lines)
        self._rest = b""

    def _made(self, lines: int) -> Iterator[bytes]:
        yield self.head
        for first in range(0, lines, 1000):
            yield b"".join(self.LINE % number for number in range(first, min(first + 1000, lines)))
        yield self.tail

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        while self._rest == b"" and (piece := next(self._pieces, b"")):
            self._rest = piece
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def send(client: FlaskClient, form: Typed) -> TestResponse:
    kind = "multipart/form-data; boundary=x"
    given = {"wsgi.input": form, "CONTENT_LENGTH": str(form.size), "CONTENT_TYPE": kind}
    return client.post("/desk/subscribers/imports", environ_overrides=given)


def test_a_file_larger_than_any_other_goes_to_the_disk_as_it_comes(
    app: Flask, client: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    """Thirty megabytes, 600,000 lines: more than any other form may have. Memory is not asked for a tenth of it."""
    desk.ruth(client, now)
    assert "250 MB at most" in client.get("/desk/subscribers/imports").text
    form = Typed(600_000)
    assert form.size > app.config["MAX_CONTENT_LENGTH"]
    tracemalloc.start()
    try:
        answer = send(client, form)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 303, answer.text
    assert the_run().rows == 600_001
    assert most < 3_000_000


def test_beyond_the_limit_the_page_says_so_and_keeps_nothing(
    app: Flask, client: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], import_megabytes=1)
    desk.ruth(client, now)
    for lines, status in ((22_000, 422), (60_000, 413)):
        form = Typed(lines)
        answer = send(client, form)
        assert answer.status_code == status
        assert "The file is larger than 1 MB." in answer.text
    assert the_run_or_none() is None
    assert list((app.config["NEWSLETTER"].data_dir / "imports").glob("*")) == []


def the_run_or_none() -> ImportRun | None:
    db.session.rollback()
    return db.session.scalars(select(ImportRun)).one_or_none()
