"""From SQLite to PostgreSQL: the same rows, and an installation that goes on with them."""

import sqlite3
import uuid
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, date, datetime, time
from enum import Enum
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import JSON, func, select, text, update

from newsletter.config import Settings
from newsletter.db import Base, UTCDateTime, db, transaction
from newsletter.delivery.ledger import batches
from newsletter.delivery.notices.links import unsubscribe_link
from newsletter.delivery.reports import accounts
from newsletter.domain.subscribers import forgetting, importing, suppressing
from newsletter.errors import NewsletterError, Refused
from newsletter.models import Account, Issue, LimitCounter, Media, Organisation, Subscriber, Subscription
from newsletter.operations import totals
from newsletter.safekeeping import restoring
from newsletter.safekeeping.backing_up import back_up
from newsletter.safekeeping.canonical import Digest
from newsletter.safekeeping.moving import move
from newsletter.states import DeliveryState, IssueState, SendingMode, SubscriptionState, SuppressionReason
from tests import people
from tests.delivery.sending import makers
from tests.operations.conftest import enlist, happened
from tests.postgres import Cluster
from tests.safekeeping.installations import environment, running, settings_at, unseen

AWKWARD = "Ünïcode \\N \\. \t tab\r\nline \\x41 'quoted' \"twice\" ☃ 😀"
NEW = (
    "INSERT INTO subscriber (public_id, address, address_key, name, organisation, created_at)"
    " VALUES (?, 'new@example.org', 'new@example.org', '', '', 0)"
)
pytestmark = pytest.mark.postgres


def a_full_house(now: datetime) -> None:
    """Every kind of column with something in it that could be lost on the way."""
    quarterly = people.larkmere(now)
    ruth = people.staff(now)
    people.subscribers(now, quarterly, 5)
    issue = makers.sending_to(now, quarterly, "december-2026")
    with transaction() as session:
        session.add(Media(name="a.png", content_type="image/png", width=1, height=1, size=9, sha256=bytes(32),
                          body=bytes(range(256)), created_at=now))  # fmt: skip
        session.execute(update(Issue).where(Issue.id == issue.id).values(
            title=AWKWARD, deadline_date=date(2026, 12, 11), deadline_time=time(17), approval_on=date(2026, 12, 9),
            started_at=now.replace(microsecond=123_456),
        ))  # fmt: skip
        session.execute(update(Account).where(Account.id == ruth.id).values(mf_recovery_codes=["a", "b"]))
        suppressing.suppress("reader1@example.org", SuppressionReason.BOUNCED, now=now)
    with transaction():
        forgetting.erase_address("reader2@example.org", route="own wish", now=now)
    enlist(now, pid=2**22 + 1)
    happened(now, totals.JOB, "watch_over", measured=0.1)


def the_rows() -> dict[str, Digest]:
    """Every table, read on its own."""
    found = {}
    for name, table in Base.metadata.tables.items():
        found[name] = Digest()
        for row in db.session.execute(select(*(column for column in table.c if str(column.type) != "JSON"))):
            found[name].add(row)
    db.session.rollback()
    return found


def test_a_backup_of_sqlite_goes_on_on_postgresql(
    settings: Settings, now: datetime, tmp_path: Path, postgres_url: str
) -> None:
    old, new = settings_at(tmp_path / "old", settings), settings_at(tmp_path / "new", settings)
    with running(old):
        a_full_house(now)
        file = back_up(tmp_path, None, now, unseen).path
    restoring.restore(file, None, [old.data_dir], now, unseen, environment(new))
    bars = list[tuple[str, int, int]]()
    with running(new):
        before = the_rows()
        moved = move(postgres_url, now, lambda *each: bars.append(each))
        assert the_rows() == before
        with pytest.raises(Refused, match="The PostgreSQL database is not empty: it has the table"):
            move(postgres_url, now, unseen)
    assert (moved.went_on, moved.rows) == (False, sum(digest.rows for digest in before.values()))
    assert [each[0] for each in bars if each[1] == each[2] == moved.rows] == ["Copying", "Comparing"]
    with running(settings_at(new.data_dir, settings, postgres_url)) as app:
        assert the_rows() == before
        the_site_works(app, now)


def the_site_works(app: Flask, now: datetime) -> None:
    assert db.session.scalars(select(Issue)).one().title == AWKWARD
    assert db.session.scalars(select(Media)).one().body == bytes(range(256))
    assert db.session.scalars(select(Account)).one().mf_recovery_codes == ["a", "b"]
    client = app.test_client()
    assert client.get("/").status_code == 200
    assert client.get("/readyz").status_code == 200
    theirs = db.session.scalars(select(Subscription).join(Subscriber).where(Subscriber.address.startswith("reader3")))
    path = unsubscribe_link(theirs.one().public_id).removeprefix("https://news.example.org")
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    people.sign_in(client, db.session.scalars(select(Account)).one())
    assert "This is a restored installation." in client.get("/desk").text
    who = "email\n" + "".join(f"reader{number}@example.org\n" for number in range(1, 8))
    report = importing.import_csv(
        BytesIO(who.encode()), db.session.scalars(select(Issue)).one().mailing_list, source="the same list", actor=None,
        now=now,
    )  # fmt: skip
    assert (report.added, report.suppressed, report.left, report.already) == (2, 2, 1, 2)
    active = select(Subscriber.address).join(Subscription).where(Subscription.state == SubscriptionState.ACTIVE)
    assert {address[6] for address in db.session.scalars(active)} == {"1", "4", "5", "6", "7"}


def test_what_was_written_meanwhile_is_told(
    settings: Settings, now: datetime, tmp_path: Path, postgres_url: str
) -> None:
    """The site is used while it is copied: nobody waits, and the copy is of one moment and known to be of the past."""
    place = settings_at(tmp_path / "old", settings)
    somebody = [uuid.uuid4().hex]

    def signs_up(*_progress: object) -> None:
        if somebody:
            with closing(sqlite3.connect(place.data_dir / "newsletter.db", isolation_level=None)) as connection:
                connection.execute(NEW, [somebody.pop()])

    with running(place):
        people.subscribers(now, people.larkmere(now), 3)
        moved = move(postgres_url, now, signs_up)
        assert moved.went_on
        assert next(each.rows for each in moved.tables if each.table == "subscriber") == 3
        assert db.session.scalar(select(func.count()).select_from(Subscriber)) == 4


@pytest.mark.parametrize("written", [True, False])
def test_a_copy_of_what_goes_on_sends_to_its_team_alone(
    settings: Settings, now: datetime, tmp_path: Path, postgres_url: str, written: bool
) -> None:
    """An issue is on its way while it is copied: whoever starts the copy all the same sends it to nobody again."""
    place = settings_at(tmp_path / "old", settings)

    def goes_on(*_progress: object) -> None:
        if written:
            with closing(sqlite3.connect(place.data_dir / "newsletter.db", isolation_level=None)) as connection:
                connection.execute("UPDATE limit_counter SET count = count + 1")

    with running(place):
        quarterly = people.larkmere(now)
        people.subscribers(now, quarterly, 6)
        issue = makers.sending_to(now, quarterly, "december-2026")
        with transaction() as session:
            session.add(LimitCounter(key="somebody is there", ends_at=now, count=1))
        worker = enlist(now, pid=1 if not written else 2**22 + 1)
        assert len(batches.claim(issue.id, worker, now, limit=2).items) == 2
        moved = move(postgres_url, now, goes_on)
        assert (moved.rehearsed, moved.went_on, moved.running) == (True, written, () if written else ("worker",))
        db.session.expire_all()
        assert db.session.get_one(Issue, issue.id).state is IssueState.SENDING, "the source is only read"
    with running(settings_at(place.data_dir, settings, postgres_url)):
        copied = db.session.scalars(select(Issue)).one()
        assert copied.state is IssueState.PAUSED
        assert db.session.scalars(select(Organisation)).one().sending_mode is SendingMode.TEAM
        assert Counter(makers.states(copied).values()) == {DeliveryState.UNSURE: 2, DeliveryState.QUEUED: 4}
        assert accounts.verify(copied) == []


def test_an_owner_of_the_database_who_is_no_superuser_moves_backs_up_and_restores(
    settings: Settings, now: datetime, tmp_path: Path, postgres_cluster: Cluster
) -> None:
    old, new = settings_at(tmp_path / "old", settings), tmp_path / "new"
    postgres_cluster.execute("CREATE ROLE larkmere LOGIN")
    with ExitStack() as afterwards:
        afterwards.callback(postgres_cluster.execute, "DROP ROLE larkmere")
        one, two = (afterwards.enter_context(postgres_cluster.database()) for _count in range(2))
        for name in (one, two):
            postgres_cluster.execute(f"ALTER DATABASE {name} OWNER TO larkmere")
        first, second = (str(postgres_cluster.url(name)).replace("//postgres@", "//larkmere@") for name in (one, two))
        with running(old):
            a_full_house(now)
            before = the_rows()
            assert not move(first, now, unseen).rehearsed
        on_postgres = replace(settings_at(old.data_dir, settings, first), runner="procrastinate")
        with running(on_postgres):
            assert db.session.scalar(text("SELECT usesuper FROM pg_user WHERE usename = current_user")) is False
            # The tables of Procrastinate have come, with their record.
            assert the_rows() | {"schema_part": Digest()} == before
            file = back_up(tmp_path, None, now, unseen).path
        restored = settings_at(new, settings, second)
        restoring.restore(file, None, [], now, unseen, environment(restored))
        with running(restored):
            assert db.session.scalar(select(func.count()).select_from(Subscriber)) == 4


def test_every_column_of_ours_can_be_compared() -> None:
    """A kind of value that nobody thought of would be noticed by whoever moves, years after it came."""
    samples = {int: 1, str: "a", bool: True, float: 0.1, bytes: b"a", uuid.UUID: uuid.uuid4(), date: date(2026, 12, 7),
               time: time(17), datetime: datetime(2026, 12, 7, tzinfo=UTC)}  # fmt: skip
    for table in Base.metadata.tables.values():
        for column in table.c:
            if not isinstance(column.type, JSON):
                kind = datetime if isinstance(column.type, UTCDateTime) else column.type.python_type
                value = next(iter(kind)) if issubclass(kind, Enum) else samples[kind]
                Digest().add((value,))


def test_what_postgresql_cannot_keep_is_named_and_nothing_of_it_stays(
    settings: Settings, now: datetime, tmp_path: Path, postgres_url: str
) -> None:
    with running(settings_at(tmp_path / "old", settings)):
        quarterly = people.larkmere(now)
        people.subscribers(now, quarterly, 3)
        for value, said in (("nul\0", "NUL"), ("x" * 101, "value too long for type character varying(100)")):
            with transaction() as session:
                session.execute(update(Subscriber).values(name=value))
            with pytest.raises(Refused) as refusal:
                move(postgres_url, now, unseen)
            assert said in str(refusal.value)
        with transaction() as session:
            session.execute(update(Subscriber).values(name=""))
        assert not move(postgres_url, now, unseen).went_on


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("mysql://x@example.org/db", "--to must begin with"),
        ("sqlite:////tmp/other.db", "must be the address of a PostgreSQL database"),
        ("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2", "cannot be reached"),
    ],
)
def test_an_address_that_is_none_is_refused(
    settings: Settings, now: datetime, tmp_path: Path, to: str, said: str
) -> None:
    with running(settings_at(tmp_path / "old", settings)), pytest.raises(NewsletterError, match=said):
        move(to, now, unseen)
