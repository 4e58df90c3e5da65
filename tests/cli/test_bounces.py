"""`newsletter bounces …` as a mail server's pipe, a cron job and an administrator use it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from newsletter import clock
from newsletter.app import create_app
from newsletter.cli import main
from newsletter.db import db, transaction
from newsletter.domain.subscribers import suppressing
from newsletter.models import Delivery, InboundMessage, Subscription
from newsletter.schema import prepare_schema
from newsletter.states import DeliveryState
from newsletter.tokens import envelope_tag, message_name
from tests import people
from tests.delivery.sending import makers
from tests.mail.report_corpus import READER, load


@dataclass(frozen=True)
class Installation:
    """A data directory in which December went to one reader an hour ago, and the marks of that message."""

    folder: Path
    marks: dict[str, str]

    def suppressed(self) -> bool:
        with create_app().app_context():
            try:
                return suppressing.is_suppressed(READER)
            finally:
                db.session.remove()
                db.engine.dispose()

    def kinds(self) -> list[str]:
        with create_app().app_context():
            try:
                return list(db.session.scalars(select(InboundMessage.kind).order_by(InboundMessage.id)))
            finally:
                db.session.remove()
                db.engine.dispose()


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    for name in ("DATABASE_URL", "RELAY_URL", "PUBLIC_URL", "INBOUND_URL", "SECRET_KEYS"):
        monkeypatch.delenv(f"NEWSLETTER_{name}", raising=False)
    app = create_app()
    with app.app_context():
        prepare_schema()
        at = clock.now() - timedelta(hours=1)
        issue = makers.sending(at, 1, people.larkmere(at))
        with transaction() as session:
            session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED, first_tried_at=at, attempts=1))
        delivery = db.session.scalars(select(Delivery)).one()
        public_id = db.session.scalars(select(Subscription.public_id)).one()
        keys = app.config["NEWSLETTER"].secret_keys
        marks = {
            "TAG": envelope_tag(keys, public_id),
            "MESSAGE_ID": f"{message_name(keys, issue.id, delivery.id)}@example.org",
        }
        db.session.remove()
        db.engine.dispose()
    return Installation(tmp_path, marks)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`newsletter bounces <words>`, with bytes on standard input: exit status, standard output, standard error."""

    def ran(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["newsletter", "bounces", *words])
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = 0
        try:
            main()
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return ran


Run = Callable[..., tuple[int, str, str]]


def test_a_bounce_that_is_piped_in_is_acted_on_once(installation: Installation, run: Run) -> None:
    raw = load("postfix_unknown_user", **installation.marks)
    assert run("read", "-", stdin=raw) == (
        0, "A report on delivery. There is no such mailbox. The address gets no more mail.\n", "",
    )  # fmt: skip
    assert installation.suppressed()
    status, said, _error = run("read", "-", "--json", stdin=raw)
    answer = json.loads(said)
    assert status == 0
    assert (answer["kind"], answer["state"], answer["known"]) == ("dsn", "handled", True)


def test_the_time_is_that_of_our_own_server(installation: Installation, run: Run) -> None:
    raw = load("exim_unknown_user", **installation.marks).replace(b"Mon, 07 Dec 2026 10", b"Sun, 01 Nov 2026 10")
    _status, said, _error = run("read", "-", "--json", stdin=raw)
    assert json.loads(said)["received_at"] == "2026-11-01T10:00:09+00:00"


def test_a_mail_can_be_looked_at_without_doing_anything(installation: Installation, run: Run) -> None:
    file = installation.folder / "bounce.eml"
    file.write_bytes(load("gmail_not_found", **installation.marks))
    status, said, _error = run("read", str(file), "--dry-run")
    assert status == 0
    assert said.startswith("A report on delivery. Delivery Status Notification (Failure)\n")
    assert f"  {READER}: failed 5.1.1 550-5.1.1 The email account" in said
    _status, said, _error = run("read", str(file), "--dry-run", "--json")
    assert json.loads(said)["recipients"][0]["final_recipient"] == READER
    assert not installation.suppressed()
    assert installation.kinds() == []


@pytest.mark.parametrize("raw", [b"", b"\x00\xff\xfe", b"Subject: hello\r\n\r\nDear editors", b"x" * 600_000])
def test_whatever_is_piped_in_is_no_failure(installation: Installation, run: Run, raw: bytes) -> None:
    status, said, error = run("read", "-", stdin=raw)
    assert (status, error) == (0, "")
    assert said.startswith("No report that can be understood.")


def test_a_file_that_is_not_there_gets_a_sentence(installation: Installation, run: Run) -> None:
    assert run("read", "/no/such/file") == (
        1, "", "The file /no/such/file cannot be read (No such file or directory).\n",
    )  # fmt: skip


def test_while_the_database_is_locked_the_mail_server_is_to_try_again(installation: Installation) -> None:
    """By a process of its own, as a mail server runs it: its exit status says what becomes of the mail."""
    import sqlite3

    holder = sqlite3.connect(installation.folder / "data" / "newsletter.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    program = (
        "import newsletter.db as db; db._BUSY_TIMEOUT_MS = 50\n"
        "from newsletter.cli import main; main()"
    )  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, "bounces", "read", "-"],
            input=load("postfix_unknown_user", **installation.marks), capture_output=True, env=dict(os.environ),
        )  # fmt: skip
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert done.returncode == 75, done.stderr.decode()
    assert done.stderr.decode().startswith("The database cannot be used at the moment: database is locked.")
    assert installation.kinds() == []


class TestPoll:
    def test_without_a_mailbox_it_says_what_to_set(self, installation: Installation, run: Run) -> None:
        status, _said, error = run("poll")
        assert status == 1
        assert error.startswith("No mailbox is set: NEWSLETTER_INBOUND_URL")

    def test_a_maildir_is_emptied_and_counted(
        self, installation: Installation, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = installation.folder / "Maildir"
        for name in ("new", "cur", "tmp"):
            (folder / name).mkdir(parents=True)
        monkeypatch.setenv("NEWSLETTER_INBOUND_URL", f"maildir:{folder}")
        for number, name in enumerate(("postfix_unknown_user", "vacation_german", "letter")):
            (folder / "new" / f"{number}.example").write_bytes(load(name, **installation.marks))
        status, said, error = run("poll")
        assert (status, error) == (0, "")
        assert [line.split(None, 1) for line in said.splitlines()] == [
            ["1", "An automatic answer"], ["1", "A report on delivery"], ["1", "No report that can be understood"],
        ]  # fmt: skip
        assert installation.suppressed()
        assert sorted(path.name for path in (folder / "cur").iterdir()) == [
            "0.example:2,S", "1.example:2,S", "2.example:2,",
        ]  # fmt: skip
        assert run("poll") == (0, f"Nothing new in Maildir {folder}.\n", "")

    def test_a_mailbox_that_cannot_be_read_is_a_sentence_and_status_1(
        self, installation: Installation, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NEWSLETTER_INBOUND_URL", "imaps://bounces:very-secret@127.0.0.1:1/INBOX")
        status, said, error = run("poll", "--json")
        assert status == 1
        assert json.loads(said)["problem"] == "The mailbox server 127.0.0.1 cannot be reached: Connection refused."
        assert "very-secret" not in said + error
