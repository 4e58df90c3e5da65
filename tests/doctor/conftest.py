"""What the tests of the doctor share."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db
from newsletter.doctor.findings import Notes
from newsletter.doctor.kept import KeptProbe, last_probe
from newsletter.doctor.probe import send_probe
from newsletter.mail.smtp import SmtpRelay
from newsletter.work.runners import SilentRunner
from tests.dovecot import dovecot, mailbox
from tests.people import larkmere, staff
from tests.smtp_servers import AcceptingServer, Authority

__all__ = ["dovecot", "mailbox"]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeptProbe]:
    """A probe to Ruth, who is staff, as it was kept after a real mail server took it; bounces have a domain."""
    folder = tmp_path_factory.mktemp("probe")
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'newsletter.db'}",
        public_url="https://news.example.org",
        secret_keys=("a-test-key-that-is-long-enough-to-be-used",),
        bounce_domain="bounces.example.org",
    )
    now = datetime(2026, 12, 7, 10, 0, tzinfo=UTC)
    with AcceptingServer() as server:
        app = probing_app(settings, server.url)
        with app.app_context():
            larkmere(now)
            staff(now)
            ask_for_probe(app, "ruth@example.org", now)
            db.session.remove()
            db.engine.dispose()
        kept = last_probe(folder)
        assert kept is not None
        assert server.accepted[0].message == kept.message
    yield kept


def probing_app(settings: Settings, relay_url: str) -> Flask:
    """The product with this mail server, its tables made."""
    settings = replace(settings, relay_url=relay_url)
    app = create_app(settings, runner=SilentRunner(), relay=SmtpRelay.from_url(relay_url))
    with app.app_context():
        db.create_all()
    return app


def ask_for_probe(app: Flask, address: str, now: datetime, slug: str | None = None) -> Notes:
    """`send_probe` with what the application has."""
    return send_probe(
        address,
        slug=slug,
        relay=app.extensions["newsletter_relay"],
        settings=app.config["NEWSLETTER"],
        signer=app.extensions["newsletter_signer"],
        now=now,
    )
