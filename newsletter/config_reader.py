"""How one setting is read from the environment, and what is said when it is wrong."""

import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from .errors import SettingError

PREFIX = "NEWSLETTER_"
_SHORTEST_KEY = 32
_RELAY_SCHEMES = ("smtp", "smtp+starttls", "smtps")
_INBOUND_SCHEMES = ("imaps", "imap+starttls")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Names of machines as they stand in addresses (letters beyond ASCII as xn--…); an underscore, as container names have.
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


class SettingReader:
    """One setting at a time, each with its own sentence when it is wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str = "") -> str:
        return self.optional(name) or default

    def optional(self, name: str) -> str | None:
        """The value of a setting, or of the file that `…_FILE` names."""
        value = self._environment.get(PREFIX + name, "").strip()
        path = self._environment.get(f"{PREFIX}{name}_FILE", "").strip()
        if value and path:
            raise SettingError(f"Set {PREFIX}{name} or {PREFIX}{name}_FILE, not both")
        if not (value + path).isprintable():
            raise SettingError(f"{PREFIX}{name} holds characters that cannot be printed, or are not UTF-8")
        if not path:
            return value or None
        value = _text_in(Path(path), f"{PREFIX}{name}_FILE").strip()
        if not value:
            raise SettingError(f"{PREFIX}{name}_FILE: {path} is empty")
        if not value.isprintable() and name != "SECRET_KEYS":
            raise SettingError(f"{PREFIX}{name}_FILE: {path} holds more than one line, or what cannot be printed")
        return value

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, allowed[0])
        if value not in allowed:
            raise SettingError(f"{PREFIX}{name} must be one of: {', '.join(allowed)}")
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch("[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise SettingError(f"{PREFIX}{name} must be a whole number from {least} to {most}")
        return int(value)

    def truth(self, name: str) -> bool:
        return self.choice(name, ("no", "yes")) == "yes"

    def data_dir(self) -> Path:
        """The folder for all that is kept, made where it is not there, for its owner alone."""
        value = self.text("DATA_DIR", "./var")
        try:
            folder = Path(value).expanduser().resolve()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (OSError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or error
            raise SettingError(f"{PREFIX}DATA_DIR: {value[:200]} cannot be used as a folder ({why})") from None
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise SettingError(f"{PREFIX}DATA_DIR: {folder} cannot be written to by this user")
        return folder

    def existing_file(self, name: str) -> Path | None:
        value = self.optional(name)
        if value is None:
            return None
        if not Path(value).is_file():
            raise SettingError(f"{PREFIX}{name}: there is no file {value}")
        return Path(value)

    def domain(self, name: str) -> str | None:
        value = self.optional(name)
        if value is None:
            return None
        if not re.fullmatch(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", value.lower()):
            raise SettingError(f"{PREFIX}{name} must be a domain such as bounces.example.org")
        return value.lower()

    def networks(self, name: str) -> tuple[str, ...]:
        """Networks and addresses, such as 10.1.0.0/16, parted by spaces or commas."""
        given = self.text(name).replace(",", " ").split()
        try:
            return tuple(str(ipaddress.ip_network(one)) for one in given)
        except ValueError:
            raise SettingError(f"{PREFIX}{name} must be networks such as 10.1.0.0/16 or 127.0.0.1") from None

    def long_secret(self, name: str) -> str | None:
        """A secret that opens something by itself, so nobody may be able to guess it."""
        value = self.optional(name)
        if value is not None and len(value) < _SHORTEST_KEY:
            raise SettingError(f"{PREFIX}{name} needs {_SHORTEST_KEY} characters or more")
        return value

    def timezone(self) -> str:
        value = self.text("TIMEZONE", "Europe/London")
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingError(f"{PREFIX}TIMEZONE must be a zone name such as Europe/London") from None
        return value

    def database_url(self, data_dir: Path) -> str:
        value = self.text("DATABASE_URL", f"sqlite:///{data_dir / 'newsletter.db'}")
        if value.startswith("postgresql://"):
            value = "postgresql+psycopg://" + value.removeprefix("postgresql://")
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise SettingError(f"{PREFIX}DATABASE_URL must begin with sqlite:/// or postgresql://")
        if value.partition("?")[0] in ("sqlite:///", "sqlite:///:memory:"):
            raise SettingError(
                f"{PREFIX}DATABASE_URL must name a file: what is in memory is lost, and seen by one only"
            )
        try:
            make_url(value)
        except (ArgumentError, ValueError):
            raise SettingError(
                f"{PREFIX}DATABASE_URL must have the form sqlite:////folder/file.db or "
                "postgresql://user:password@host:5432/name"
            ) from None
        return value

    def runner(self, data_dir: Path) -> str:
        """Who runs background jobs. One of many machines needs a database that all of them reach."""
        value = self.choice("RUNNER", ("threads", "procrastinate"))
        if value == "procrastinate" and self.database_url(data_dir).startswith("sqlite"):
            raise SettingError(
                f"{PREFIX}RUNNER=procrastinate needs PostgreSQL: set {PREFIX}DATABASE_URL to postgresql://…, "
                f"or leave {PREFIX}RUNNER unset"
            )
        return value

    def relay_url(self) -> str | None:
        value = self.optional("RELAY_URL")
        if value is None:
            return None
        parts = _server_address(value, _RELAY_SCHEMES)
        if parts is None or parts.path not in ("", "/"):
            form = "smtp://host:25, smtp+starttls://user:password@host:587 or smtps://user:password@host:465"
            raise SettingError(f"{PREFIX}RELAY_URL must have the form {form}")
        if parts.scheme == "smtp" and parts.password and parts.hostname not in _LOOPBACK:
            raise SettingError(
                f"{PREFIX}RELAY_URL would send a password without encryption: use smtp+starttls:// or smtps://"
            )
        return value

    def inbound_url(self) -> str | None:
        value = self.optional("INBOUND_URL")
        if value is None:
            return None
        if value.startswith("maildir:/") and len(value) > len("maildir:/"):
            return value
        if _server_address(value, _INBOUND_SCHEMES) is None:
            raise SettingError(
                f"{PREFIX}INBOUND_URL must have the form imaps://user:password@host/INBOX, "
                "imap+starttls://user:password@host/INBOX or maildir:/folder"
            )
        return value

    def https_address(self, name: str) -> str | None:
        """An address of another service, to which a secret is sent: https, or this machine."""
        value = self.optional(name)
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            good = _HOST.fullmatch(parts.hostname or "") and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            good = None
        if not good or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
            raise SettingError(f"{PREFIX}{name} must be an address that begins with https://")
        return value

    def password_sign_in(self) -> bool:
        """Whether people may sign in with a password; they must, unless all of what replaces it is set."""
        issuer, client = self.optional("OIDC_ISSUER"), self.optional("OIDC_CLIENT_ID")
        if (issuer is None) != (client is None):
            missing = "OIDC_CLIENT_ID" if issuer else "OIDC_ISSUER"
            raise SettingError(f"{PREFIX}{missing} is missing: the sign-in service needs both it and its other half")
        with_passwords = self.choice("PASSWORD_SIGN_IN", ("yes", "no")) == "yes"
        if not with_passwords and issuer is None:
            raise SettingError(f"{PREFIX}PASSWORD_SIGN_IN=no would let nobody in: set {PREFIX}OIDC_ISSUER first")
        return with_passwords

    def public_url(self) -> str:
        value = self.text("PUBLIC_URL", "http://localhost:8000").rstrip("/")
        try:
            parts = urlsplit(value)
            host = parts.hostname
            good = parts.port != 0 and _HOST.fullmatch(host or "") and _PATH.fullmatch(parts.path)
        except ValueError:
            good = None
        if not good or parts.scheme not in ("http", "https") or parts.query or parts.fragment or "@" in parts.netloc:
            raise SettingError(f"{PREFIX}PUBLIC_URL must be an address such as https://news.example.org")
        if parts.scheme == "http" and host not in _LOOPBACK and not self.truth("ALLOW_PLAIN_HTTP"):
            raise SettingError(
                f"{PREFIX}PUBLIC_URL is http, so people's addresses would travel in the clear: use https, "
                f"or set {PREFIX}ALLOW_PLAIN_HTTP=yes on a network you trust"
            )
        return value

    def secret_keys(self, data_dir: Path) -> tuple[str, ...]:
        """Oldest first, newest last; the newest signs, all verify. Made on first run."""
        value = self.optional("SECRET_KEYS")
        if value is None:
            value = _kept_or_new_keys(data_dir / "secret_keys")
        keys = tuple(part for part in value.replace(",", " ").split() if part)
        if not keys or min(map(len, keys)) < _SHORTEST_KEY:
            raise SettingError(
                f"{PREFIX}SECRET_KEYS: each key needs {_SHORTEST_KEY} characters or more "
                "(python3 -c 'import secrets; print(secrets.token_urlsafe(32))' makes one)"
            )
        return keys


def _server_address(value: str, schemes: tuple[str, ...]) -> SplitResult | None:
    """The parts of a mail server's address (`?auth=xoauth2` allowed); None for what is none."""
    try:
        parts = urlsplit(value)
        valid = (
            parts.scheme in schemes
            and _HOST.fullmatch(parts.hostname or "") is not None
            and parts.port != 0
            and parts.query in ("", "auth=xoauth2")
            and not parts.fragment
            and unquote(f"{parts.username or ''}{parts.password or ''}").isprintable()
        )
    except ValueError:
        return None
    return parts if valid else None


def _kept_or_new_keys(path: Path) -> str:
    """The keys in `path`, made there with mode 600 when there are none.

    Two processes may start at once: the file is written whole under another name and linked into place, so
    one wins and both read the same keys.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError as error:
            raise SettingError(f"{PREFIX}DATA_DIR: {path} cannot be written ({error.strerror})") from None
        finally:
            draft.unlink(missing_ok=True)
    return _text_in(path, f"{PREFIX}SECRET_KEYS")


def _text_in(path: Path, setting: str) -> str:
    """The text of a file that a setting is read from. Raises SettingError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{setting}: {path} cannot be read ({type(error).__name__})") from None
