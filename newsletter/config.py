"""Settings: read once from the environment, checked, frozen.

Every name begins with `NEWSLETTER_`; docs/settings.md has a row for each (a test holds the two together). A
secret may also come from a file: `NEWSLETTER_RELAY_URL_FILE=/run/secrets/relay`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from . import logs
from .config_reader import SettingReader


@dataclass(frozen=True)
class Settings:
    """What an operator decides. Field names are those of the environment, in lower case."""

    data_dir: Path
    database_url: str = field(repr=False)
    relay_url: str | None = field(repr=False, default=None)
    public_url: str = "http://localhost:8000"
    secret_keys: tuple[str, ...] = field(repr=False, default=())
    timezone: str = "Europe/London"
    runner: str = "threads"
    trusted_proxies: int = 0
    allow_plain_http: bool = False
    relay_ca_file: Path | None = None
    relay_connections: int = 16
    relay_per_second: int = 0
    relay_per_hour: int = 0
    relay_per_day: int = 0
    relay_messages_per_connection: int = 0
    bounce_domain: str | None = None
    contribute_domain: str | None = None
    authentication_host: str | None = None
    inbound_url: str | None = field(repr=False, default=None)
    oauth_token_url: str | None = None
    oauth_client_id: str | None = None
    oauth_client_secret: str | None = field(repr=False, default=None)
    oauth_scope: str | None = None
    check_links: bool = True
    proof_of_work: bool = False
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = field(repr=False, default=None)
    oidc_name: str = "your organisation’s account"
    oidc_email: str = "verified"
    oidc_second_step: str = "here"
    password_sign_in: bool = True
    import_megabytes: int = 250
    metrics_token: str | None = field(repr=False, default=None)
    metrics_from: tuple[str, ...] = ()
    backup_hours: int = 0
    log_format: str = "text"
    log_level: str = "warning"

    @property
    def https(self) -> bool:
        """Whether people reach us over https: cookies, HSTS and the cookie's prefix follow it."""
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """Host (and port) in the public address: the right-hand side of our identifiers."""
        return urlsplit(self.public_url).netloc

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check every setting. Raises SettingError with one sentence that names the setting."""
        reader = SettingReader(environment)
        data_dir = reader.data_dir()
        return cls(
            data_dir=data_dir,
            database_url=reader.database_url(data_dir),
            relay_url=reader.relay_url(),
            public_url=reader.public_url(),
            secret_keys=reader.secret_keys(data_dir),
            timezone=reader.timezone(),
            runner=reader.runner(data_dir),
            trusted_proxies=reader.number("TRUSTED_PROXIES", 0, 0, 10),
            allow_plain_http=reader.truth("ALLOW_PLAIN_HTTP"),
            relay_ca_file=reader.existing_file("RELAY_CA_FILE"),
            relay_connections=reader.number("RELAY_CONNECTIONS", 16, 1, 256),
            relay_per_second=reader.number("RELAY_PER_SECOND", 0, 0, 100_000),
            relay_per_hour=reader.number("RELAY_PER_HOUR", 0, 0, 100_000_000),
            relay_per_day=reader.number("RELAY_PER_DAY", 0, 0, 100_000_000),
            relay_messages_per_connection=reader.number("RELAY_MESSAGES_PER_CONNECTION", 0, 0, 1_000_000),
            bounce_domain=reader.domain("BOUNCE_DOMAIN"),
            contribute_domain=reader.domain("CONTRIBUTE_DOMAIN") or reader.domain("BOUNCE_DOMAIN"),
            authentication_host=reader.domain("AUTHENTICATION_HOST"),
            inbound_url=reader.inbound_url(),
            oauth_token_url=reader.https_address("OAUTH_TOKEN_URL"),
            oauth_client_id=reader.optional("OAUTH_CLIENT_ID"),
            oauth_client_secret=reader.optional("OAUTH_CLIENT_SECRET"),
            oauth_scope=reader.optional("OAUTH_SCOPE"),
            proof_of_work=reader.truth("PROOF_OF_WORK"),
            check_links=reader.choice("CHECK_LINKS", ("yes", "no")) == "yes",
            oidc_issuer=reader.https_address("OIDC_ISSUER"),
            oidc_client_id=reader.optional("OIDC_CLIENT_ID"),
            oidc_client_secret=reader.optional("OIDC_CLIENT_SECRET"),
            oidc_name=reader.text("OIDC_NAME", "your organisation’s account"),
            oidc_email=reader.choice("OIDC_EMAIL", ("verified", "trusted")),
            oidc_second_step=reader.choice("OIDC_SECOND_STEP", ("here", "there")),
            password_sign_in=reader.password_sign_in(),
            import_megabytes=reader.number("IMPORT_MEGABYTES", 250, 1, 1_000),
            metrics_token=reader.long_secret("METRICS_TOKEN"),
            metrics_from=reader.networks("METRICS_FROM"),
            backup_hours=reader.number("BACKUP_HOURS", 0, 0, 8_760),
            log_format=reader.choice("LOG_FORMAT", logs.FORMATS),
            log_level=reader.choice("LOG_LEVEL", logs.LEVELS),
        )


def current_settings() -> Settings:
    """The settings of the running application."""
    from flask import current_app

    settings: Settings = current_app.config["NEWSLETTER"]
    return settings
