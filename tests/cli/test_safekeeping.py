"""`newsletter backup`, `restore` and `migrate-data`, as somebody types them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from newsletter.cli import context
from newsletter.cli.safekeeping import backup, migrate_data, restore
from newsletter.config import Settings
from newsletter.errors import Refused
from newsletter.operations import totals
from tests import people
from tests.safekeeping.installations import PASSPHRASE, environment, make_tables

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, now: datetime, tmp_path: Path) -> Run:
    """Run a command; the installation has three readers, and its tables are those of our own history."""
    make_tables(settings)
    people.subscribers(now, people.larkmere(now), 3)
    (tmp_path / "words").write_text(f"{PASSPHRASE}\nonly the first line counts\n")
    monkeypatch.setattr(context, "make_app", lambda: app)

    def run(*words: object, **env: str) -> Result:
        command = {"backup": backup, "restore": restore, "migrate-data": migrate_data}[str(words[0])]
        return CliRunner(env=env).invoke(command, [str(word) for word in words[1:]])

    return run


def test_from_a_backup_to_a_restored_place(run: Run, settings: Settings, tmp_path: Path) -> None:
    file, words = tmp_path / "it.backup", tmp_path / "words"
    made = run("backup", file, "--passphrase-file", words)
    seen = run("backup", "--verify", file, "--passphrase-file", words)
    new = environment(replace(settings, data_dir=tmp_path / "new"))
    del new["NEWSLETTER_DATABASE_URL"]
    done = run("restore", file, "--passphrase-file", words, "--logs", tmp_path, **new)
    assert [each.exit_code for each in (made, seen, done)] == [0, 0, 0]
    assert f"{file} is whole" in seen.output
    assert all("3 subscribers" in each.output for each in (made, seen, done))
    assert "Only the team gets mail from here now" in done.output
    said = made.output + seen.output + done.output
    assert not any(secret in said for secret in (PASSPHRASE, *settings.secret_keys, "reader1"))
    assert sorted(path.name for path in (tmp_path / "new").iterdir())[-2:] == ["newsletter.db", "secret_keys"]


def test_without_a_passphrase_it_says_what_lies_open(run: Run, tmp_path: Path) -> None:
    made = run("backup", tmp_path / "open.backup")
    assert made.exit_code == 0
    assert "It is not encrypted" in made.stderr
    assert totals.totals()[totals.BACKUP, ""].number == 1, "what watches the age of backups"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("backup", "{}/it", "--passphrase-file", "{}/none"), "cannot be read (No such file or directory)"),
        (("backup", "{}/it", "--passphrase-file", "{}/short"), "too short: it needs 12 characters"),
        (("backup", "{}/no/folder/it"), "There is no backup."),
        (("backup", "{}/words"), "a backup writes over nothing"),
        (("backup", "--verify", "{}/words"), "is no backup of this program"),
        (("backup", "--verify", "{}/none"), "No such file"),
        (("migrate-data", "--to-file", "{}/none"), "cannot be read"),
        (("migrate-data", "--to", "mysql://x"), "--to must begin with"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    run: Run, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "short").write_text("password\n")
    before = sorted(tmp_path.iterdir())
    result = run(*(word.format(tmp_path) for word in words))
    assert sentence in str(result.exception)
    assert [path.name for path in set(tmp_path.iterdir()) - set(before)] in ([], ["backup.lock"])


def test_where_to_must_be_said_once(run: Run) -> None:
    assert run("migrate-data").exit_code == 2
    assert run("migrate-data", "--to", "a", "--to-file", "b").exit_code == 2


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    result = run("backup", tmp_path / "it.backup")
    assert isinstance(result.exception, Refused)
    assert "There is too little room" in str(result.exception)
    assert not (tmp_path / "it.backup").exists()


@pytest.mark.postgres
def test_a_move_prints_every_table_with_its_proof(run: Run, postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(postgres_url.replace("+psycopg", "") + "\n")
    result = run("migrate-data", "--to-file", tmp_path / "url", "--json")
    assert result.exit_code == 0
    moved = {table["table"]: table for table in json.loads(result.output)["tables"]}
    assert moved["subscriber"]["rows"] == 3
    assert len(moved["subscriber"]["digest"]) == 64
    assert moved["suppression"] == {"table": "suppression", "rows": 0, "digest": "0" * 64}
