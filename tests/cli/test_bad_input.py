"""What cannot be used is refused in one sentence, before anything is done: settings, arguments, files."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli.main import main
from newsletter.config import Settings
from newsletter.domain.subscribers.import_reading import understand
from newsletter.errors import Invalid, Problem, SettingError


def read(folder: Path, **settings: str) -> Settings:
    return Settings.from_environment(
        {"NEWSLETTER_DATA_DIR": str(folder), **{f"NEWSLETTER_{name}": value for name, value in settings.items()}}
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("RELAY_URL", "smtp://two words:25", "NEWSLETTER_RELAY_URL must have the form"),
        ("RELAY_URL", "smtp://localhost:25/path?x=1", "NEWSLETTER_RELAY_URL must have the form"),
        ("RELAY_URL", "smtp://localhost#part", "NEWSLETTER_RELAY_URL must have the form"),
        ("RELAY_URL", "smtps://ruth:a%0d%0aMAIL@relay.example.org", "NEWSLETTER_RELAY_URL must have the form"),
        ("RELAY_URL", "smtp://\udcff", "NEWSLETTER_RELAY_URL holds characters"),
        ("PUBLIC_URL", "https://two words", "NEWSLETTER_PUBLIC_URL must be an address"),
        ("PUBLIC_URL", 'https://x"><script>', "NEWSLETTER_PUBLIC_URL must be an address"),
        ("PUBLIC_URL", "https://example.org/two words", "NEWSLETTER_PUBLIC_URL must be an address"),
        ("PUBLIC_URL", "https://münchen.example", "NEWSLETTER_PUBLIC_URL must be an address"),
        ("PUBLIC_URL", "https://*", "NEWSLETTER_PUBLIC_URL must be an address"),
        ("PUBLIC_URL", "https://ruth@example.org", "NEWSLETTER_PUBLIC_URL must be an address"),
        ("SECRET_KEYS", "k" * 40 + "\udcff", "NEWSLETTER_SECRET_KEYS holds characters"),
        ("TRUSTED_PROXIES", "9" * 5000, "a whole number from 0 to 10"),
        ("TRUSTED_PROXIES", "²", "a whole number from 0 to 10"),
        ("DATABASE_URL", "postgresql://[::", "NEWSLETTER_DATABASE_URL must have the form"),
        ("DATABASE_URL", "postgresql://u:p@localhost:port/x", "NEWSLETTER_DATABASE_URL must have the form"),
        ("DATABASE_URL", "sqlite:///", "NEWSLETTER_DATABASE_URL must name a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "NEWSLETTER_DATABASE_URL must name a file"),
        ("DATA_DIR", "/dev/null/x", "NEWSLETTER_DATA_DIR: /dev/null/x cannot be used as a folder"),
        ("DATA_DIR", "/etc/passwd", "NEWSLETTER_DATA_DIR: /etc/passwd cannot be used as a folder"),
        ("DATA_DIR", "~nobody-of-this-name/x", "NEWSLETTER_DATA_DIR: ~nobody-of-this-name/x cannot be used"),
        ("DATA_DIR", "/tmp/" + "a" * 300, "cannot be used as a folder"),
    ],
)
def test_a_setting_that_cannot_be_used(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingError) as refusal:
        read(tmp_path, **{name: value})

    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "https://news.example.org/a/b"),
        ("PUBLIC_URL", "https://xn--mnchen-3ya.example:8443"),
        ("PUBLIC_URL", "http://[::1]:8000"),
        ("RELAY_URL", "smtp://mail_relay:2525"),
        ("RELAY_URL", "smtps://ruth%40example.org:p%C3%A4ss%2F@192.0.2.7:465/"),
        ("RELAY_URL", "smtp://[::1]:25"),
    ],
)
def test_settings_of_uncommon_form_that_are_good(tmp_path: Path, name: str, value: str) -> None:
    assert getattr(read(tmp_path, **{name: value}), name.lower()) == value


@pytest.mark.parametrize("make", ["folder", "noise"])
def test_a_file_of_keys_that_cannot_be_read(tmp_path: Path, make: str) -> None:
    keys = tmp_path / "secret_keys"
    if make == "folder":
        keys.mkdir()
    else:
        keys.write_bytes(b"\xff\xfe" * 40)

    with pytest.raises(SettingError, match=r"NEWSLETTER_SECRET_KEYS: .*secret_keys cannot be read"):
        read(tmp_path)


def test_what_is_kept_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    run("lists", "show", folder=folder)
    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in (folder, *folder.glob("*")) if path.exists()}

    assert modes.pop("new") == "0o700"
    assert "newsletter.db" in modes
    assert set(modes.values()) <= {"0o600", "0o700"}, modes


def run(*words: str | bytes, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own: what a shell hands it, it gets."""
    environment = {"PATH": os.environ["PATH"], "NEWSLETTER_DATA_DIR": str(folder), "PYTHONUTF8": "1", **settings}
    command: list[str | bytes] = [sys.executable, "-m", "newsletter.cli", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, errors="replace")


def test_a_database_that_is_none(tmp_path: Path) -> None:
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"This is no database. " * 100)
    done = run("lists", "show", folder=tmp_path / "d", NEWSLETTER_DATABASE_URL=f"sqlite:///{noise}")

    assert done.returncode == 1
    assert done.stderr.startswith("NEWSLETTER_DATABASE_URL: the database cannot be reached or read")
    assert "Traceback" not in done.stderr
    assert noise.read_bytes() == b"This is no database. " * 100


@pytest.mark.parametrize(
    "words",
    [
        ("lists", "show", "\udcff"),
        ("issues", "import", "/dev/null", "--list", "x", "--title", "\udcfe"),
        ("serve", "--host", "\udcff"),
    ],
)
def test_arguments_that_are_not_utf8(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "argv", ["newsletter", *words])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err

    assert left.value.code == 2
    assert "is not UTF-8" in said


@pytest.mark.parametrize("raw", [b"a" * 20_000_000, b'"' + b"x" * 200_000 + b'"\na@example.org\n'])
def test_a_sheet_whose_first_line_has_no_end(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes(raw)
    with pytest.raises(Invalid, match=r"The file has no column of email addresses|The first line of the file"):
        understand(path)


def test_several_problems_are_several_sentences() -> None:
    problems = [Problem("name", "Enter a name"), Problem("email", "Is that all?"), Problem("again", "Enter a name")]

    assert str(Invalid([*problems, Problem("x", "Last")])) == "Enter a name. Is that all? Last"
