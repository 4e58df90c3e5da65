"""The one place that knows the profile: which database, which relay, which runner."""

import logging

from flask import Flask
from sqlalchemy.engine import make_url
from werkzeug.middleware.proxy_fix import ProxyFix

from .config import Settings
from .db import db, let_go_safely, patience_of, prepare_engine
from .delivery.notices.mailbox import keep_in_mailbox
from .domain.calls.asking_views import views
from .domain.calls.decisions import guarding
from .domain.calls.reminding import moving
from .errors import SettingError
from .mail.local import LocalMailbox
from .mail.oauth import TokenSource
from .mail.relay import Relay
from .mail.smtp import SmtpRelay
from .tokens import Signer
from .work.doorbell import Doorbell
from .work.runners import DoorbellRunner, Runner


def create_app(
    settings: Settings | None = None, *, runner: Runner | None = None, relay: Relay | None = None, pages: bool = True
) -> Flask:
    """The application for `settings` (from the environment when None).

    `runner` and `relay` replace the ones the settings ask for: the worker process brings its own runner, tests
    bring both. Without `pages` it answers no request: what a worker needs, in two thirds of the memory. Raises
    SettingError.
    """
    settings = settings or Settings.from_environment()
    app = Flask("newsletter", static_folder=None)
    app.config.update(
        NEWSLETTER=settings,
        SECRET_KEY=settings.secret_keys[-1],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[:-1]),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        MAX_CONTENT_LENGTH=25 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
    )
    app.url_map.strict_slashes = False
    db.init_app(app)
    let_go_safely(app)
    with app.app_context():
        prepare_engine(db.engine)
    app.extensions["newsletter_signer"] = Signer(settings.secret_keys)
    app.extensions["newsletter_runner"] = runner or _runner(settings)
    app.extensions["newsletter_relay"] = relay or _relay(app, settings)
    guarding.register()
    moving.register()
    views.register()
    if pages:
        # Here, not above: a process without pages is spared all that they are made of.
        from .web import install_web

        install_web(app)
        _trust_proxies(app, settings)
    return app


def _engine_options(settings: Settings) -> dict[str, object]:
    # What people typed stays out of the errors of the database, and so out of the log.
    always: dict[str, object] = {"hide_parameters": True}
    if settings.sqlite:
        return always
    patience = patience_of(make_url(settings.database_url))
    return {**always, "pool_pre_ping": True, "pool_size": 5, "max_overflow": 10, "connect_args": patience}


def _runner(settings: Settings) -> Runner:
    if settings.runner == "threads":
        return DoorbellRunner(Doorbell(settings.data_dir))
    # Here, not above: only this profile has it installed.
    try:
        from .work.deferring import ProcrastinateRunner
    except ModuleNotFoundError:
        raise SettingError(
            'NEWSLETTER_RUNNER=procrastinate needs its extra: pip install "newsletter[postgres]"'
        ) from None
    return ProcrastinateRunner()


def _relay(app: Flask, settings: Settings) -> Relay:
    if settings.relay_url is None:
        return LocalMailbox(lambda envelope: keep_in_mailbox(app, envelope))
    return SmtpRelay.from_url(
        settings.relay_url,
        ca_file=settings.relay_ca_file,
        connections=settings.relay_connections,
        messages_per_connection=settings.relay_messages_per_connection,
        tokens=TokenSource.from_settings(settings),
    )


def _trust_proxies(app: Flask, settings: Settings) -> None:
    """Believe X-Forwarded-For only from as many proxies as the operator named."""
    hops = settings.trusted_proxies
    if hops:
        # Flask documents this way to wrap it; the types know only the method.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]  # as its documentation does it


logging.getLogger("newsletter").addHandler(logging.NullHandler())
