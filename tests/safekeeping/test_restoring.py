"""A backup, a loss, and what the restored installation knows and what it does not: on both databases."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery import launch
from newsletter.delivery.notices import outbox
from newsletter.delivery.reports import accounts
from newsletter.domain.notices import send_notice
from newsletter.domain.staff import browser_sessions, installation
from newsletter.domain.subscribers import erasure_log, forgetting, joining, leaving, suppressing
from newsletter.errors import NewsletterError, Refused
from newsletter.mail.memory import MemoryRelay
from newsletter.models import (
    Account,
    ConsentWording,
    Delivery,
    Issue,
    MailingList,
    Notice,
    Organisation,
    ProcessSign,
    Subscriber,
    Subscription,
    WebSession,
    Worker,
)
from newsletter.operations.judging import judge
from newsletter.operations.signs import gather
from newsletter.safekeeping import archive, restoring
from newsletter.safekeeping.backing_up import back_up
from newsletter.safekeeping.manifest import Manifest, Member
from newsletter.states import (
    DeliveryState,
    IssueState,
    NoticeState,
    Role,
    SendingMode,
    SubscriptionState,
    SuppressionReason,
)
from tests import people
from tests.delivery import ledger
from tests.delivery.sending import makers
from tests.operations.conftest import enlist
from tests.safekeeping.installations import PASSPHRASE, environment, running, settings_at, unseen

HOUR = timedelta(hours=1)
#: Eight readers, and Ruth of the team.
READERS = 8


@dataclass
class Places:
    """Where the installation was, and an empty place of the same kind."""

    old: Settings
    new: Settings


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def places(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[Places]:
    if request.param == "sqlite":
        yield Places(settings_at(tmp_path / "old", settings), settings_at(tmp_path / "new", settings))
        return
    with another_database(request) as url:
        yield Places(
            settings_at(tmp_path / "old", settings, request.getfixturevalue("postgres_url")),
            settings_at(tmp_path / "new", settings, url),
        )


@contextmanager
def another_database(request: pytest.FixtureRequest) -> Iterator[str]:
    cluster = request.getfixturevalue("postgres_cluster")
    name = f"other_{os.urandom(6).hex()}"
    cluster.execute(f"CREATE DATABASE {name}")
    yield cluster.url(name)
    cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


def reader(number: int) -> Subscriber:
    address = f"reader{number}@example.org"
    return db.session.scalars(select(Subscriber).where(Subscriber.address == address)).one()


def theirs(number: int) -> Subscription:
    (subscription,) = reader(number).subscriptions
    return subscription


def a_busy_day(now: datetime) -> MailingList:
    """One issue is out, one on its way, one scheduled; a mail to one person waits; Ruth is signed in."""
    quarterly = people.larkmere(now)
    ruth = people.staff(now, role=Role.ADMIN)
    people.staff(now, "Ewan Marsh")
    people.subscribers(now - 30 * 24 * HOUR, quarterly, READERS)
    with transaction():
        suppressing.suppress("reader1@example.org", SuppressionReason.BOUNCED, now=now)
    out = makers.sending_to(now - 24 * HOUR, quarterly, "out")
    under_way = makers.sending_to(now, quarterly, "under-way")
    planned = people.issue(now, quarterly, slug="planned")
    with transaction() as session:
        worker = Worker(part="worker", host="h", boot_id="b", pid=1, started_at=now, beat=0)
        session.add(worker)
        session.flush()
        session.add(ProcessSign(worker_id=worker.id, version="1", seen_at=now, disk_free=1, clock_ahead=0.0))
        rows = session.scalars(select(Delivery).where(Delivery.issue_id == out.id).order_by(Delivery.id)).all()
        for row in rows:
            row.state, row.attempts = DeliveryState.ACCEPTED, 1
        rows[0].state, rows[0].retry_at = DeliveryState.DEFERRED, now
        kept = session.get_one(Issue, out.id)
        kept.state, kept.sent_at = IssueState.SENT, now - 23 * HOUR
        rows = session.scalars(select(Delivery).where(Delivery.issue_id == under_way.id).order_by(Delivery.id)).all()
        rows[0].state, rows[0].attempts = DeliveryState.ACCEPTED, 1
        rows[1].state, rows[1].owner = DeliveryState.CLAIMED, worker.id
        waiting = session.get_one(Issue, planned.id)
        waiting.state, waiting.scheduled_at = IssueState.SCHEDULED, now + HOUR
        send_notice("contribution_receipt", "reader3@example.org", now=now, values={"who": "x"})
        browser_sessions.start(session.get_one(Account, ruth.id), now=now)
    for issue in (out, under_way):
        ledger.tally(issue)
    return quarterly


def after_the_backup(quarterly: MailingList, now: datetime) -> None:
    """Of what no backup knows: one is forgotten, one complains, one leaves, one leaves and comes back."""
    with transaction():
        forgetting.erase_address("reader2@example.org", route="own wish", now=now)
    with transaction():
        leaving.complain(theirs(3), reporter="their provider", now=now)
    with transaction():
        leaving.unsubscribe(theirs(4), route="one-click", now=now)
        leaving.unsubscribe(theirs(5), route="link", now=now)
    with transaction() as session:
        ewan = session.scalars(select(Account).where(Account.email == "ewan@example.org")).one()
        erasure_log.erase_colleague(ewan, actor=None, now=now)
    wording = db.session.scalars(select(ConsentWording).where(ConsentWording.list_id == quarterly.id)).one()
    with transaction():
        again = joining.Evidence(wording=wording, privacy_version=1, route="again")
        joining.join(reader(5), quarterly, again, now=now + HOUR)


def test_a_backup_a_loss_and_a_restore(places: Places, now: datetime, tmp_path: Path) -> None:
    with running(places.old):
        quarterly = a_busy_day(now)
        made = back_up(tmp_path, PASSPHRASE, now, unseen)
        after_the_backup(quarterly, now + HOUR)
    assert made.path.name == "newsletter-2026-12-07-100000.backup"
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in places.old.data_dir.glob(".backup*")] == []
    done = restoring.restore(
        made.path, PASSPHRASE, [places.old.data_dir], now + 2 * HOUR, unseen, environment(places.new)
    )
    settled = done.settled
    assert (settled.paused, settled.unscheduled) == (("December 2026",), ("December 2026",))
    assert (settled.unsure, settled.notices) == (2, 1)
    assert (settled.erased, settled.suppressed, settled.left) == (2, 2, 3)
    with running(places.new) as app:
        nobody_is_written_to_who_should_not_be()
        assert [account.name for account in db.session.scalars(select(Account))] == ["Ruth Adeyemi"]
        nothing_goes_twice(app, now + 3 * HOUR)
        enlist(now + 3 * HOUR)
        assert [found.sentence for found in judge(gather(now + 3 * HOUR)) if " on h " in found.sentence] == []
        it_says_so_until_somebody_decides(app, now)


def nobody_is_written_to_who_should_not_be() -> None:
    addresses = set(db.session.scalars(select(Subscriber.address)))
    assert addresses == {f"reader{number}@example.org" for number in (1, 3, 4, 5, 6, 7, 8)}
    active = select(Subscriber.address).join(Subscription).where(Subscription.state == SubscriptionState.ACTIVE)
    assert {address[6] for address in db.session.scalars(active)} == {"1", "5", "6", "7", "8"}
    reasons = {number: [one.reason for one in suppressing.suppressions_of(f"reader{number}@example.org")]
               for number in range(1, READERS + 1)}  # fmt: skip
    assert {number: found for number, found in reasons.items() if found} == {
        1: [SuppressionReason.BOUNCED],
        2: [SuppressionReason.ERASED],
        3: [SuppressionReason.COMPLAINT],
    }
    assert suppressing.address_hash("reader2@example.org") in erasure_log.entries()


def nothing_goes_twice(app: Flask, now: datetime) -> None:
    states = {issue.slug: issue.state for issue in db.session.scalars(select(Issue))}
    assert states == {"out": IssueState.SENT, "under-way": IssueState.PAUSED, "planned": IssueState.APPROVED}
    for issue in db.session.scalars(select(Issue)):
        assert accounts.verify(issue) == []
        if issue.slug == "under-way":
            assert (
                accounts.counts(issue).as_dict() | {"queued": 6, "unsure": 1, "accepted": 1}
                == accounts.counts(issue).as_dict()
            )
            assert "would get it twice" in issue.pause_reason
    assert launch.launch_due(now + 24 * HOUR) == []
    outbox.deliver_notices(now)
    relay = app.extensions["newsletter_relay"]
    assert isinstance(relay, MemoryRelay)
    assert set(relay.recipients) == {"ruth@example.org"}
    old = db.session.scalars(select(Notice).where(Notice.template == "contribution_receipt")).one()
    assert old.state is NoticeState.UNSURE


def it_says_so_until_somebody_decides(app: Flask, now: datetime) -> None:
    organisation = db.session.get_one(Organisation, 1)
    assert (organisation.sending_mode, organisation.backup_made_at) == (SendingMode.TEAM, now)
    assert db.session.scalar(select(func.count()).select_from(WebSession)) == 0
    client = app.test_client()
    with transaction() as session:
        ada = session.scalars(select(Account)).one()
    people.sign_in(client, ada)
    page = client.get("/desk").text
    assert "This is a restored installation." in page
    with transaction():
        installation.change_sending_mode(SendingMode.EVERYONE, actor=None, now=now)
    assert "This is a restored installation." not in client.get("/desk").text


def small(now: datetime, folder: Path) -> Path:
    """A backup of an installation with one list and three readers."""
    people.subscribers(now, people.larkmere(now), 3)
    return back_up(folder / "small.backup", None, now, unseen).path


def left_in(place: Settings) -> list[str]:
    return sorted(path.name for path in place.data_dir.iterdir())


def refuses(file: Path, place: Settings, now: datetime, **more: str) -> str:
    """What is said; and the place is as empty as it was."""
    before = left_in(place)
    with pytest.raises(NewsletterError) as refusal:
        restoring.restore(file, None, [], now, unseen, {**environment(place), **more})
    assert left_in(place) == before
    return str(refusal.value)


def test_a_restore_writes_over_nothing(settings: Settings, now: datetime, tmp_path: Path) -> None:
    old, new = settings_at(tmp_path / "old", settings), settings_at(tmp_path / "new", settings)
    with running(old):
        file = small(now, tmp_path)
        with pytest.raises(Refused, match="writes over nothing"):
            back_up(file, None, now, unseen)
    assert "is not empty" in refuses(file, old, now)
    (new.data_dir / "secret_keys").write_text("other")
    assert "secret_keys is there" in refuses(file, new, now)
    (new.data_dir / "secret_keys").unlink()
    elsewhere = {"NEWSLETTER_DATABASE_URL": f"sqlite:///{old.data_dir / 'newsletter.db'}"}
    assert "There is a database" in refuses(file, new, now, **elsewhere)


def test_what_does_not_fit_is_refused_with_what_to_do(settings: Settings, now: datetime, tmp_path: Path) -> None:
    old, new = settings_at(tmp_path / "old", settings), settings_at(tmp_path / "new", settings)
    with running(old):
        file = small(now, tmp_path)
    on_postgresql = {"NEWSLETTER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    assert "newsletter migrate-data" in refuses(file, new, now, **on_postgresql)
    assert "are not the keys of this backup" in refuses(file, new, now, NEWSLETTER_SECRET_KEYS="another-key" * 4)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert "is cut short" in refuses(file, new, now)
    file.write_bytes(whole)
    done = restoring.restore(file, None, [], now, unseen, environment(new) | {
        "NEWSLETTER_SECRET_KEYS": f"{settings.secret_keys[0]} {'a-newer-key' * 4}",
        "NEWSLETTER_DATABASE_URL": f"sqlite:///{tmp_path / 'apart.db'}",
    })  # fmt: skip
    assert left_in(new) == ["secret_keys"]
    assert (tmp_path / "apart.db").stat().st_mode & 0o777 == 0o600
    assert done.manifest.rows["subscriber"] == 3


def changed(file: Path, folder: Path, change: Callable[[Path, Manifest], Manifest]) -> Path:
    """The backup, packed anew by somebody who knows how, with something changed in it."""
    found = archive.unpack(file, None, folder, unseen)
    found = change(folder, found)
    members = {name: Member((folder / name).stat().st_size, sha256((folder / name).read_bytes()).hexdigest())
               for name in found.members}  # fmt: skip
    other = folder.with_suffix(".backup")
    with other.open("wb") as target:
        archive.write(target, replace(found, members=members), folder, None, unseen)
    return other


def test_a_backup_of_a_newer_version_is_refused(settings: Settings, now: datetime, tmp_path: Path) -> None:
    old, new = settings_at(tmp_path / "old", settings), settings_at(tmp_path / "new", settings)
    with running(old):
        file = small(now, tmp_path)
    newer = changed(file, tmp_path / "newer", lambda _folder, found: replace(found, schema="9999", program="7.1"))
    assert "made by a newer version of the program (7.1, tables 9999" in refuses(newer, new, now)


SQL = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON notice BEGIN DELETE FROM suppression; END",
    "a view": "CREATE VIEW v AS SELECT address FROM subscriber",
    "a table of somebody's": "CREATE TABLE own (x)",
    "a table that is a program": "CREATE VIRTUAL TABLE media_x USING fts5(body)",
    "a row less": "DELETE FROM privacy_notice",
}


@pytest.mark.parametrize("what", SQL)
def test_an_sqlite_file_that_is_not_ours_is_refused(
    settings: Settings, now: datetime, tmp_path: Path, what: str
) -> None:
    old, new = settings_at(tmp_path / "old", settings), settings_at(tmp_path / "new", settings)
    with running(old):
        file = small(now, tmp_path)

    def add(folder: Path, found: Manifest) -> Manifest:
        with closing(sqlite3.connect(folder / "newsletter.db", isolation_level=None)) as connection:
            connection.execute(SQL[what])
        return found

    assert "Nothing was restored." in refuses(changed(file, tmp_path / "hostile", add), new, now)


DUMPS = {
    "a table of the system": b"COPY pg_catalog.pg_authid (rolname) FROM stdin;\nx\n\\.\n",
    "rows that break a rule": b"COPY public.organisation (id, name, email, sending_mode, demo, created_at, address,"
    b" phone) FROM stdin;\n7\tx\tx\tteam\tf\t2026-01-01 00:00:00+00\t\t\n\\.\n",
}


@pytest.mark.postgres
def test_of_a_dump_nothing_is_run(
    settings: Settings, now: datetime, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    old = settings_at(tmp_path / "old", settings, request.getfixturevalue("postgres_url"))
    with running(old):
        file = small(now, tmp_path)
    with another_database(request) as url:
        new = settings_at(tmp_path / "new", settings, url)
        for number, (what, block) in enumerate(DUMPS.items()):

            def add(folder: Path, found: Manifest, block: bytes = block) -> Manifest:
                with (folder / "newsletter.sql").open("ab") as dump:
                    dump.write(block)
                return found

            said = refuses(changed(file, tmp_path / f"hostile{number}", add), new, now)
            assert "cannot have written" in said or "could not be restored" in said, what
        program = b"DROP TABLE subscriber;\nCREATE TABLE own (x int);\n\\! touch here\nSELECT pg_sleep(999);\n"

        def run(folder: Path, found: Manifest) -> Manifest:
            dump = folder / "newsletter.sql"
            dump.write_bytes(program + dump.read_bytes() + program)
            return found

        restoring.restore(changed(file, tmp_path / "program", run), None, [], now, unseen, environment(new))
        with running(new):
            assert db.session.scalar(select(func.count()).select_from(Subscriber)) == 3
            assert not inspect(db.engine).has_table("own")
