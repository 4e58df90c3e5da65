"""Making a backup of an installation that goes on meanwhile, and one that is broken off."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.errors import Refused
from newsletter.models import Subscriber
from newsletter.safekeeping import archive, database_copy
from newsletter.safekeeping.backing_up import back_up
from tests import people
from tests.safekeeping.installations import running, settings_at, unseen


@pytest.fixture
def place(settings: Settings, tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "place", settings)


def test_what_is_written_meanwhile_is_not_half_in_it(
    place: Settings, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the steps of the copy somebody writes to its first pages and to its last."""
    monkeypatch.setattr(database_copy, "_PAGES_AT_ONCE", 20)
    steps = list[int]()

    def meanwhile(label: str, done: int, _whole: int) -> None:
        if label == "Copying the database":
            steps.append(done)
            with closing(sqlite3.connect(place.data_dir / "newsletter.db", isolation_level=None)) as others:
                others.execute("UPDATE subscriber SET name = name || 'x'")
                others.execute("DELETE FROM subscription WHERE id = ?", [len(steps)])

    with running(place):
        people.subscribers(now, people.larkmere(now), 300)
        made = back_up(tmp_path / "it.backup", None, now, meanwhile)
    assert len(steps) > 5
    assert made.manifest.rows["subscription"] == 300
    archive.unpack(made.path, None, tmp_path / "out", unseen)
    with closing(sqlite3.connect(tmp_path / "out" / "newsletter.db")) as copy:
        assert copy.execute("SELECT count(*) FROM subscription").fetchone() == (300,)
        assert copy.execute("SELECT DISTINCT name FROM subscriber").fetchall() == [("",)]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_one_that_is_broken_off_leaves_nothing(place: Settings, now: datetime, tmp_path: Path) -> None:
    def breaks_off(label: str, _done: int, _whole: int) -> None:
        if label == "Packing":
            raise KeyboardInterrupt

    with running(place):
        people.subscribers(now, people.larkmere(now), 3)
        before = sorted(place.data_dir.iterdir())
        with pytest.raises(KeyboardInterrupt):
            back_up(tmp_path / "backups.d", None, now, breaks_off)
        assert [path.name for path in tmp_path.iterdir()] == ["place"]
        assert {path.name for path in set(place.data_dir.iterdir()) - set(before)} <= {"backup.lock"}


def test_what_a_killed_one_left_is_cleared_away_and_two_do_not_meet(
    place: Settings, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "backups").mkdir()
    with running(place):
        people.subscribers(now, people.larkmere(now), 3)
        left = place.data_dir / ".backup-killed"
        left.mkdir()
        (left / "newsletter.db").write_text("half")
        refused = list[str]()

        def another(*_progress: object) -> None:
            if not refused:
                with pytest.raises(Refused) as refusal:
                    back_up(tmp_path / "backups", None, now + timedelta(hours=1), unseen)
                refused.append(str(refusal.value))

        back_up(tmp_path / "backups", None, now, another)
        assert refused == ["Another backup is being made at this moment."]
        assert not left.exists()
        back_up(tmp_path / "backups", None, now + timedelta(hours=1), unseen)
    names = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert names == ["newsletter-2026-12-07-100000.backup", "newsletter-2026-12-07-110000.backup"]


def test_a_damaged_database_is_not_backed_up_as_if_it_were_whole(
    place: Settings, now: datetime, tmp_path: Path
) -> None:
    with running(place):
        people.subscribers(now, people.larkmere(now), 200)
        with transaction() as session:
            session.execute(update(Subscriber).values(name="y" * 90))
    file = place.data_dir / "newsletter.db"
    with file.open("r+b") as pages:
        for page in range(file.stat().st_size // 4096 - 20, file.stat().st_size // 4096):
            pages.seek(page * 4096 + 2)
            pages.write(b"\xff" * 60)
    with running(place):
        with pytest.raises(Refused, match="The database is damaged"):
            back_up(tmp_path / "it.backup", None, now, unseen)
        db.session.remove()
    assert not (tmp_path / "it.backup").exists()
