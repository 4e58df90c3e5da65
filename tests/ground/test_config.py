"""Settings: checked at start, each with one sentence that names it."""

import os
import stat
from pathlib import Path

import pytest

from newsletter.config import Settings
from newsletter.errors import SettingError


def read(tmp_path: Path, **settings: str) -> Settings:
    return Settings.from_environment(
        {"NEWSLETTER_DATA_DIR": str(tmp_path), **{f"NEWSLETTER_{name}": value for name, value in settings.items()}}
    )


def test_nothing_set_means_one_machine_its_own_mailbox_and_a_new_key(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path / 'newsletter.db'}"
    assert settings.relay_url is None
    assert settings.public_url == "http://localhost:8000"
    assert settings.timezone == "Europe/London"
    assert stat.S_IMODE((tmp_path / "secret_keys").stat().st_mode) == 0o600
    assert read(tmp_path).secret_keys == settings.secret_keys


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("RELAY_URL", "nonsense", "NEWSLETTER_RELAY_URL must have the form smtp://host:25"),
        ("RELAY_URL", "http://relay.example.org", "NEWSLETTER_RELAY_URL must have the form"),
        ("RELAY_URL", "smtp://", "NEWSLETTER_RELAY_URL must have the form"),
        ("RELAY_URL", "smtp://relay.example.org:notaport", "NEWSLETTER_RELAY_URL must have the form"),
        ("RELAY_URL", "smtp://ruth:secret@relay.example.org:25", "would send a password without encryption"),
        ("PUBLIC_URL", "news.example.org", "NEWSLETTER_PUBLIC_URL must be an address"),
        ("PUBLIC_URL", "http://news.example.org", "people's addresses would travel in the clear"),
        ("PUBLIC_URL", "https://[::1", "NEWSLETTER_PUBLIC_URL must be an address"),
        ("TIMEZONE", "Mars/Olympus", "NEWSLETTER_TIMEZONE must be a zone name"),
        ("TIMEZONE", "../etc/passwd", "NEWSLETTER_TIMEZONE must be a zone name"),
        ("DATABASE_URL", "mysql://x", "NEWSLETTER_DATABASE_URL must begin with"),
        ("SECRET_KEYS", "short", "each key needs 32 characters"),
        ("RUNNER", "celery", "NEWSLETTER_RUNNER must be one of"),
        ("RELAY_CONNECTIONS", "0", "a whole number from 1 to 256"),
        ("RELAY_CONNECTIONS", "many", "a whole number from 1 to 256"),
        ("TRUSTED_PROXIES", "-1", "a whole number from 0 to 10"),
        ("RELAY_CA_FILE", "/no/such/file.pem", "there is no file /no/such/file.pem"),
        ("RELAY_URL_FILE", "/no/such/file", "NEWSLETTER_RELAY_URL_FILE: /no/such/file cannot be read"),
        ("ALLOW_PLAIN_HTTP", "maybe", "NEWSLETTER_ALLOW_PLAIN_HTTP must be one of: no, yes"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_sentence(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    with pytest.raises(SettingError) as refusal:
        read(tmp_path, **{name: value})
    assert sentence in str(refusal.value)
    assert "secret@" not in str(refusal.value)


def test_a_secret_may_come_from_a_file_but_not_from_two_places(tmp_path: Path) -> None:
    secret = tmp_path / "relay"
    secret.write_text("smtps://ruth:secret@relay.example.org:465\n")
    assert read(tmp_path, RELAY_URL_FILE=str(secret)).relay_url == "smtps://ruth:secret@relay.example.org:465"
    with pytest.raises(SettingError, match="not both"):
        read(tmp_path, RELAY_URL_FILE=str(secret), RELAY_URL="smtp://localhost")


def test_no_secret_is_printed_with_the_settings(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        RELAY_URL="smtps://ruth:secret@relay.example.org",
        SECRET_KEYS="k" * 40,
        DATABASE_URL="postgresql://ruth:secret@db.example.org/news",
    )
    assert "secret@" not in repr(settings)
    assert "k" * 40 not in repr(settings)


def test_two_processes_that_start_together_use_one_key(tmp_path: Path) -> None:
    children = []
    for _ in range(6):
        pid = os.fork()
        if pid == 0:
            try:
                key = read(tmp_path).secret_keys[0]
                (tmp_path / f"seen-{os.getpid()}").write_text(key)
            finally:
                os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    seen = {path.read_text() for path in tmp_path.glob("seen-*")}
    assert seen == {read(tmp_path).secret_keys[0]}


SECRETS = (
    "SECRET_KEYS",
    "DATABASE_URL",
    "RELAY_URL",
    "INBOUND_URL",
    "OAUTH_CLIENT_SECRET",
    "OIDC_CLIENT_SECRET",
    "METRICS_TOKEN",
)
GOOD = {
    "SECRET_KEYS": "k" * 40,
    "DATABASE_URL": "postgresql://ruth:secret@db.example.org/news",
    "RELAY_URL": "smtps://ruth:secret@relay.example.org",
    "INBOUND_URL": "imaps://ruth:secret@mail.example.org/INBOX",
    "METRICS_TOKEN": "t" * 40,
}


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_come_from_a_file_as_editors_and_windows_write_it(tmp_path: Path, name: str) -> None:
    value, file = GOOD.get(name, "a secret"), tmp_path / "secret"
    for written in (value, f"{value}\n", f"{value}\r\n"):
        file.write_bytes(written.encode())
        settings = read(tmp_path, **{f"{name}_FILE": str(file)})
        found = getattr(settings, name.lower())
        assert value.rpartition("//")[2] in (found if isinstance(found, str) else " ".join(found))
        assert value.rpartition("//")[2] not in repr(settings)


@pytest.mark.parametrize("name", SECRETS)
def test_a_file_that_is_no_good_is_named_and_not_passed_over(tmp_path: Path, name: str) -> None:
    missing, empty, binary = tmp_path / "missing", tmp_path / "empty", tmp_path / "binary"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    for file, why in (
        (missing, "cannot be read"),
        (tmp_path, "cannot be read"),
        (binary, "cannot be read"),
        (empty, "is empty"),
    ):
        with pytest.raises(SettingError) as refusal:
            read(tmp_path, **{f"{name}_FILE": str(file)})
        assert str(refusal.value).startswith(f"NEWSLETTER_{name}_FILE: {file}")
        assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PASSWORD_SIGN_IN": "no"}, "would let nobody in"),
        ({"OIDC_ISSUER": "https://login.example.org"}, "NEWSLETTER_OIDC_CLIENT_ID is missing"),
        ({"OIDC_CLIENT_ID": "newsletter"}, "NEWSLETTER_OIDC_ISSUER is missing"),
        ({"OIDC_ISSUER": "http://login.example.org", "OIDC_CLIENT_ID": "x"}, "begins with https://"),
        ({"METRICS_TOKEN": "short"}, "NEWSLETTER_METRICS_TOKEN needs 32 characters"),
        ({"METRICS_FROM": "10.1.0.1/16"}, "NEWSLETTER_METRICS_FROM must be networks"),
        ({"LOG_FORMAT": "xml"}, "NEWSLETTER_LOG_FORMAT must be one of: text, json"),
    ],
)
def test_what_would_shut_everybody_out_or_open_too_much(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        read(tmp_path, **settings)
