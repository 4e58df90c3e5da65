"""Being forgotten: the whole database file, its log and the data folder are searched; and what a backup brings back."""

import base64
import hashlib
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Enum, String, select, update

from newsletter.db import Base, db, transaction
from newsletter.domain.calls.partners import contributor_sessions, proving
from newsletter.domain.notices import send_notice
from newsletter.domain.staff import accounts, activity, browser_sessions, erasing, invitations
from newsletter.domain.subscribers import (
    erasure_log,
    forgetting,
    held,
    import_uploads,
    leaving,
    offering,
    sealing,
    subscribing,
    suppressing,
)
from newsletter.domain.subscribers.personal import COLUMNS
from newsletter.errors import Conflict
from newsletter.models import (
    Account,
    Activity,
    Approval,
    Chase,
    Comment,
    Contribution,
    ContributionRevision,
    DataComplaint,
    Delivery,
    Extension,
    Feedback,
    Identity,
    ImportRun,
    InboundMessage,
    LimitCounter,
    MailboxMessage,
    MailingList,
    Notice,
    Presence,
    SignUp,
    Subscriber,
    TestAddress,
    TestSend,
    ViewsAnswer,
    ViewsPage,
)
from newsletter.states import (
    ChaseKind,
    ContributionState,
    DeliveryState,
    ExtensionState,
    FeedbackKind,
    ImportState,
    InboundState,
    ProofPurpose,
    Role,
)
from newsletter.tokens import counted_as, keyed_hash
from tests import people
from tests.conftest import KEY

ADDRESS, NAME = "asha.quill@example.org", "Asha Quillfeather"
DAY = timedelta(days=1)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


def traces() -> Iterator[bytes]:
    """The person in every form in which a program may have kept them, but for the suppression's keyed hash."""
    for text in (ADDRESS, ADDRESS.upper(), NAME, NAME.upper(), "Quillfeather", "asha.quill"):
        yield text.lower().encode()
        yield base64.b64encode(text.encode()).rstrip(b"=").lower()
        for kind in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(kind, text.encode()).digest()
            yield digest.lower()
            yield digest.hex().encode()


def keyed(text: str) -> Iterator[bytes]:
    """The hashes that are made of an address with our keys, but for the suppression's."""
    for purpose in ("limits.v1", "other.v1"):
        digest = keyed_hash((KEY,), purpose, text)
        yield digest.lower()
        yield digest.hex()[:32].encode()


def found_in(folder: Path) -> list[str]:
    """Where a trace is left: in any file below the folder, and in the database where it lies elsewhere.

    PostgreSQL keeps what was deleted until it is tidied; what docs/data.md tells an operator to run is run first.
    """
    db.session.remove()
    postgres = db.engine.dialect.name == "postgresql"
    contents = {file.name: file.read_bytes().lower() for file in folder.rglob("*") if file.is_file()}
    if postgres:
        contents |= tidied_files_of_postgres()
    db.engine.dispose()
    assert any(postgres or (name == "newsletter.db" and len(content) > 100_000) for name, content in contents.items())
    searched = (*traces(), *keyed(ADDRESS))
    return sorted(
        {f"{name}: {trace!r}" for trace in searched for name, content in contents.items() if trace in content}
    )


def tidied_files_of_postgres() -> dict[str, bytes]:
    """The files of our database, its statistics and catalogue with them, after the statements of docs/data.md."""
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    statements = re.findall(r"^    ([A-Z][A-Za-z_ ]+);$", page, re.MULTILINE)
    assert statements == ["DELETE FROM pg_statistic", "ANALYZE", "VACUUM FULL", "CHECKPOINT"]
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        where = "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()"
        folder, number = connection.exec_driver_sql(where).one()
        of_relation = "SELECT pg_relation_filenode(oid)::text, relname FROM pg_class WHERE relfilenode <> 0"
        names = dict(connection.exec_driver_sql(of_relation).all())
    files = {
        names.get(file.name, file.name): file.read_bytes().lower()
        for file in (Path(folder) / "base" / str(number)).iterdir()
    }
    assert sum(map(len, files.values())) > 1_000_000
    return files


def a_subscriber(quarterly: MailingList, now: datetime) -> Subscriber:
    """Somebody of whom everything is held that can be held of a reader."""
    with transaction():
        subscribing.request_subscription(
            address=ADDRESS, lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            name=NAME, organisation="Quillfeather House", source="sign-up form", network="192.0.2.0/24", now=now,
        )  # fmt: skip
    with transaction():
        subscribing.confirm(db.session.scalars(select(SignUp)).one(), now=now)
    asha = db.session.scalars(select(Subscriber)).one()
    issue = people.issue(now, quarterly)
    (theirs,) = asha.subscriptions
    with transaction() as session:
        mail = InboundMessage(digest=bytes(32), source="INBOX", received_at=now, state=InboundState.QUARANTINED,
                              raw=f"From: {ADDRESS}".encode(), subject=NAME)  # fmt: skip
        session.add(mail)
        session.flush()
        session.add_all([
            Delivery(issue_id=issue.id, subscription_id=theirs.id, state=DeliveryState.REFUSED, updated_at=now,
                     reply=f"550 <{ADDRESS}> is full"),
            Feedback(kind=FeedbackKind.HARD, subscription_id=theirs.id, issue_id=issue.id, at=now, inbound_id=mail.id,
                     reply=f"no {ADDRESS}", reporter=ADDRESS),
            MailboxMessage(at=now, sender="n@example.org", recipient=ADDRESS, subject=NAME, source=NAME.encode()),
            TestAddress(list_id=quarterly.id, address=ADDRESS, address_key=ADDRESS, note=NAME, added_at=now),
            TestSend(issue_id=issue.id, content_version=1, address=ADDRESS, at=now),
            DataComplaint(reference="DC-1", name=NAME, address=ADDRESS, words="Why?", received_at=now,
                          acknowledge_by=now),
        ])  # fmt: skip
        send_notice("contribution_receipt", ADDRESS, now=now, values={"who": NAME}, issue=issue)
        leaving.complain(theirs, reporter=ADDRESS, now=now)
    return asha


def everywhere(quarterly: MailingList, now: datetime) -> None:
    """Rows and files that hold somebody beside their own: counters, mails to others, an upload that waits."""
    with transaction() as session:
        count_key = f"sign-up address:{counted_as((KEY,), ADDRESS)}"
        session.add(LimitCounter(key=count_key, ends_at=now + DAY, count=1))
        session.add(MailboxMessage(at=now, sender="n@example.org", recipient="ruth@example.org", subject="Sign-ups",
                                   source=f"Subject: Sign-ups\r\n\r\n{ADDRESS} asks".encode()))  # fmt: skip
        session.add(DataComplaint(reference="DC-2", name=NAME, address=ADDRESS, words=f"Why me?\n{NAME}, {ADDRESS}",
                                  answer=f"Dear {NAME}", received_at=now, acknowledge_by=now))  # fmt: skip
    upload = f"email,name\nreader@example.org,Tom\n{ADDRESS},{NAME}\n".encode("utf-16")
    ruth = people.staff(now)
    import_uploads.begin(quarterly, "people.csv", BytesIO(upload), actor=ruth, now=now)


@pytest.mark.both_databases
def test_a_mark_in_every_personal_column_goes(quarterly: MailingList, now: datetime, tmp_path: Path) -> None:
    """Every text that the schema says is about a person is made to name her, in each row that is hers; then all of
    the database, its log and the data folder are searched. A new personal column that erasing forgets fails here."""
    a_subscriber(quarterly, now)
    everywhere(quarterly, now)
    marked = mark_all(ADDRESS)
    assert {"subscriber.name", "notice.reply", "feedback.reply", "delivery.reply", "sign_up.name"} <= marked
    assert found_in(tmp_path), "the statistics of PostgreSQL hold it by now too"
    with transaction():
        forgetting.erase_address(ADDRESS, route="own wish", now=now)

    assert found_in(tmp_path) == []
    assert "[erased]" in (db.session.scalars(select(DataComplaint.words)).all())[-1]
    waiting = db.session.scalars(select(ImportRun)).one()
    assert (waiting.state, waiting.problem) == (
        ImportState.FAILED, "Somebody in the file asked to be forgotten, so the file was removed.",
    )  # fmt: skip


#: Personal by whose row they stand in, and ours by their words: erasing cuts the way to the person and keeps them.
OUR_WORDS = {
    "consent.wording", "consent.route", "consent.source", "subscription.source", "delivery.enhanced",
    "feedback.enhanced", "notice.template", "identity.issuer",
}  # fmt: skip
#: What somebody wrote for the newsletter is the organisation's; names within it go by a take-down.
THEIR_AGENCYS = {
    "contribution.title", "contribution.body", "contribution.data", "contribution.agency", "contribution.pictures",
    "contribution_revision.title", "contribution_revision.body", "contribution_revision.data", "comment.body",
    "approval.comment", "contribution.suggested",
}  # fmt: skip


def mark_all(address: str, *, but: Iterable[str] = ("activity.actor_name",)) -> set[str]:
    """Put the person's name into each personal text column of each row that leads to them. Which columns these are.

    Each of them is in what they are shown of themselves.
    """
    who, marked = held.person(address), set()
    with transaction() as session:
        for table in held.tables() - {"book_entry"}:
            columns = Base.metadata.tables[table].columns
            for column in [columns[name] for name in COLUMNS[table].names("personal")]:
                name = f"{table}.{column.name}"
                leads = column.name in ("recipient", "email") or column.name.endswith(("address", "key"))
                ours = name in OUR_WORDS | THEIR_AGENCYS or name in but
                if leads or ours or not isinstance(column.type, String) or isinstance(column.type, Enum):
                    continue
                done = session.execute(update(column.table).where(held._WHOSE[table](who)).values({column: NAME}))
                if done.rowcount:
                    marked.add(name)
    shown = held.held_about(address)
    missing = {
        one for one in marked if not any(row[one.partition(".")[2]] == NAME for row in shown[one.partition(".")[0]])
    }
    assert missing == set(), "what is held of them is shown to them"
    return marked


@pytest.mark.both_databases
def test_a_reader_leaves_no_trace_but_the_wish(quarterly: MailingList, now: datetime, tmp_path: Path) -> None:
    asha = a_subscriber(quarterly, now)
    sealing.seal_all(now)
    report = tmp_path / "imports" / "0" / "report.csv"
    report.parent.mkdir(parents=True)
    report.write_text(f"line,email,what,why\n7,{ADDRESS},suppressed,\n")
    assert found_in(tmp_path)
    asha = db.session.scalars(select(Subscriber)).one()
    with transaction():
        forgetting.erase_subscriber(asha, route="own wish", now=now)

    assert found_in(tmp_path) == []
    assert suppressing.is_suppressed(ADDRESS)
    assert sealing.verify().holds


def a_contributor(quarterly: MailingList, now: datetime) -> None:
    """Somebody of whom everything is held that can be held of whoever sends news in."""
    who = people.contributor(now, NAME, people.agency(now))
    issue = people.issue(now, quarterly)
    with transaction() as session:
        who.address = who.address_key = ADDRESS
        who.phone, who.asked_words = "01632 960 111", f"I am {NAME}"
        contributor_sessions.start(who, now=now)
        sent = Contribution(
            reference="LK-1", issue_id=issue.id, state=ContributionState.DECLINED, title="Training", body="Dates",
            contact_name=NAME, contact_address=ADDRESS, contributor_id=who.id, opened_at=now, created_at=now,
            submitted_at=now, decision_note=f"Dear {NAME}", withdrawal_words=f"Please, {NAME}",
        )  # fmt: skip
        page = ViewsPage(issue_id=issue.id, question="What helps?", created_at=now)
        session.add_all([sent, page])
        session.flush()
        session.add_all([
            ContributionRevision(contribution_id=sent.id, revision=0, state=ContributionState.DRAFT, title="x",
                                 kind="section", data={}, body=f"Regards, {NAME}", at=now),
            Extension(issue_id=issue.id, contribution_id=sent.id, state=ExtensionState.ASKED, reason=f"{NAME} is ill"),
            ViewsAnswer(page_id=page.id, form_key=bytes(32), body=f"More time.\n{NAME}, {ADDRESS}", name=NAME,
                        address=ADDRESS, at=now),
            Comment(issue_id=issue.id, contribution_id=sent.id, author_name="Ruth", body=f"Ask {NAME}", at=now),
        ])  # fmt: skip
        about = {"contribution": sent.id, "by": NAME, "comment": f"I am {NAME}"}
        send_notice("sender_withdraws", "ruth@example.org", now=now, values=about)
        send_notice("contributor_sign_in", ADDRESS, now=now, values={"who": NAME})
        proving.send_proof(ADDRESS, ProofPurpose.SIGN_IN, now=now)
        session.add(
            Chase(
                issue_id=issue.id, address_key=ADDRESS, kind=ChaseKind.REMINDER, occasion=7, deadline_version=1, at=now
            )
        )


@pytest.mark.both_databases
def test_a_contributor_leaves_no_trace(quarterly: MailingList, now: datetime, tmp_path: Path) -> None:
    """Their words stay, which are their agency's; here they name nobody."""
    a_contributor(quarterly, now)
    assert found_in(tmp_path)
    with transaction():
        forgetting.erase_address(ADDRESS, route="staff", now=now)

    assert found_in(tmp_path) == []
    assert db.session.scalars(select(Contribution.title)).all() == ["Training"]


def test_a_mark_in_every_personal_column_of_a_contributor_goes(
    quarterly: MailingList, now: datetime, tmp_path: Path
) -> None:
    a_contributor(quarterly, now)
    marked = mark_all(ADDRESS)
    assert {
        "contributor.name", "contributor.phone", "contributor.asked_words", "contributor_session.user_agent",
        "contribution.contact_name", "contribution.contact_phone", "contribution.decision_note",
        "contribution.withdrawal_words", "extension.reason", "extension.note", "views_answer.name",
        "views_answer.organisation", "views_answer.body", "notice.reply",
    } <= marked  # fmt: skip
    with transaction():
        forgetting.erase_address(ADDRESS, route="staff", now=now)
    assert found_in(tmp_path) == []


def a_colleague(quarterly: MailingList, now: datetime) -> Account:
    """Somebody of whom everything is held that can be held of whoever works here."""
    ruth = people.staff(now, "Ruth Adeyemi", Role.ADMIN)
    issue = people.issue(now, quarterly)
    with transaction():
        invitations.invite(ADDRESS, Role.EDITOR, None, actor=ruth, now=now)
    account = people.staff(now, NAME, Role.EDITOR)
    with transaction() as session:
        account.email = account.email_key = ADDRESS
        browser_sessions.start(account, user_agent="Firefox", now=now)
        activity.record("issue.created", actor=account, now=now, issue=issue)
        session.add(Comment(issue_id=issue.id, author_id=account.id, author_name=NAME, body="Mend it.", at=now))
        session.add_all([
            Identity(account_id=account.id, issuer="https://login.example.org", subject=NAME, linked_at=now,
                     used_at=now),
            Presence(issue_id=issue.id, account_id=account.id, seen_at=now),
            MailboxMessage(at=now, sender="n@example.org", recipient=ADDRESS, subject=NAME, source=NAME.encode()),
            TestAddress(list_id=quarterly.id, address=ADDRESS, address_key=ADDRESS, note=NAME, added_at=now),
            TestSend(issue_id=issue.id, content_version=1, address=ADDRESS, at=now),
        ])  # fmt: skip
        send_notice("issue_approved", ADDRESS, now=now, values={"name": NAME}, issue=issue)
    return account


@pytest.mark.both_databases
def test_a_colleague_leaves_no_trace(quarterly: MailingList, now: datetime, tmp_path: Path) -> None:
    a_colleague(quarterly, now)
    assert found_in(tmp_path)
    account = db.session.scalars(select(Account).where(Account.email_key == ADDRESS)).one()
    with transaction():
        erasure_log.erase_colleague(account, actor=None, now=now)

    assert found_in(tmp_path) == []
    assert erasing.FORMER in db.session.scalars(select(Activity.actor_name)).all()
    assert [one.author_name for one in db.session.scalars(select(Comment))] == [erasing.FORMER]
    assert (Approval.__tablename__, Notice.__tablename__) == ("approval", "notice")


def test_a_mark_in_every_personal_column_of_a_colleague_goes(
    quarterly: MailingList, now: datetime, tmp_path: Path
) -> None:
    a_colleague(quarterly, now)
    marked = mark_all(ADDRESS, but=())
    assert {
        "account.name", "account.tf_phone_number", "activity.actor_name", "comment.author_name", "identity.subject",
        "web_session.user_agent", "notice.reply", "test_address.note", "mailbox_message.subject",
    } <= marked  # fmt: skip
    account = db.session.scalars(select(Account).where(Account.email_key == ADDRESS)).one()
    with transaction():
        erasure_log.erase_colleague(account, actor=None, now=now)
    assert found_in(tmp_path) == []


def test_the_last_administrator_stays(quarterly: MailingList, now: datetime) -> None:
    ruth = people.staff(now, "Ruth Adeyemi", Role.ADMIN)
    with pytest.raises(Conflict), transaction():
        erasure_log.erase_colleague(ruth, actor=None, now=now)
    assert accounts.find_account("ruth@example.org") is not None


def test_a_backup_brings_nobody_back(quarterly: MailingList, now: datetime, tmp_path: Path) -> None:
    """The database of yesterday is put in the place of today's; the log of erasures lies beside it."""
    a_subscriber(quarterly, now)
    backup = tmp_path / "newsletter.db"
    db.session.remove()
    source, copy = sqlite3.connect(backup), sqlite3.connect(tmp_path / "backup")
    source.backup(copy)
    source.close()
    copy.close()
    with transaction():
        forgetting.erase_address(ADDRESS, route="own wish", now=now + DAY)
    assert [line.split(" ")[1] for line in erasure_log.path().read_text().splitlines()] == [
        suppressing.address_hash(ADDRESS).hex()
    ]
    assert erasure_log.path().stat().st_mode & 0o077 == 0
    db.session.remove()
    db.engine.dispose()
    for rest in ("-wal", "-shm"):
        backup.with_name(backup.name + rest).unlink(missing_ok=True)
    shutil.move(tmp_path / "backup", backup)
    assert db.session.scalars(select(Subscriber)).one().address == ADDRESS
    db.session.remove()

    def again(address: str) -> object:
        return forgetting.erase_address(address, route="restore", now=now + 2 * DAY)

    assert erasure_log.replay(again) == 1
    assert erasure_log.replay(again) == 0
    assert found_in(tmp_path) == []


def test_whoever_signs_up_again_is_not_erased_again(quarterly: MailingList, now: datetime) -> None:
    a_subscriber(quarterly, now)
    with transaction():
        forgetting.erase_address(ADDRESS, route="own wish", now=now + DAY)
    with transaction() as session:
        session.add(Subscriber(address=ADDRESS, address_key=ADDRESS, created_at=now + 2 * DAY))
    assert list(erasure_log.brought_back()) == []


def test_what_the_log_missed_is_noted_later(quarterly: MailingList, now: datetime) -> None:
    """A process died between the commit and the line; and a line that was cut short says nothing."""
    with transaction():
        forgetting.erase_address(ADDRESS, route="own wish", now=now)
    erasure_log.path().write_text("2026-12-07T10:00:00+00:00 0a0b\nnonsense\n")
    assert erasure_log.entries() == {}
    assert erasure_log.catch_up() == 1
    assert erasure_log.catch_up() == 0
    assert erasure_log.entries() == {suppressing.address_hash(ADDRESS): now}
