"""`newsletter serve`, and the same parts as processes of their own: `web`, `worker`, `scheduler`."""

import logging
import os
import signal
import socket
import sys
from contextlib import nullcontext

import click
from flask import Flask

from .. import clock, logs
from ..config import Settings
from ..db import db, transaction
from ..domain.queries import the_organisation
from ..domain.staff import installation
from ..errors import SettingError
from ..scheduler import Ticker
from ..work.doorbell import Doorbell, Press
from ..work.liveness import leaving
from ..work.runners import Runner, ThreadsRunner
from ..work.standing import keep_what_stands
from .context import make_app, refuse
from .supervisor import Part, Supervisor, follow_parent

_log = logging.getLogger(__name__)

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
_WEB_THREADS = 8
_LARGEST_REQUEST = 26 * 1024 * 1024
#: Of the 30 seconds that a process has to leave after SIGTERM.
_DRAIN_SECONDS = 28.0

_host = click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
_port = click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535))
_with_parent = click.option("--with-parent", is_flag=True, hidden=True)


@click.command()
@click.option("--demo", is_flag=True, help="Fill an empty database with the Larkmere partnership. Sends no mail.")
@_host
@_port
def serve(demo: bool, host: str, port: int) -> None:
    """Run everything: the pages and the worker, watched over. Ctrl-C ends it."""
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    if not any(os.environ.get(f"NEWSLETTER_PUBLIC_URL{suffix}") for suffix in ("", "_FILE")):
        os.environ["NEWSLETTER_PUBLIC_URL"] = f"http://localhost:{port}"
    # Of the pages, which the others show, only the demo's passwords need something here.
    app = _make_app(pages=demo)
    with app.app_context():
        if demo:
            _seed(app.config["NEWSLETTER"])
        _say_how_to_begin(app.config["NEWSLETTER"])
        db.session.remove()
        db.engine.dispose()
    web_part = Part(
        "web server", ["web", "--listen-fd", str(listening.fileno()), "--with-parent"], [listening.fileno()]
    )
    worker_part = Part("worker", ["worker", "--with-parent"])
    sys.exit(Supervisor([web_part, worker_part]).run())


@click.command()
@_host
@_port
@click.option("--listen-fd", type=int, hidden=True)
@_with_parent
def web(host: str, port: int, listen_fd: int | None, with_parent: bool) -> None:
    """Serve the pages (one process of waitress; behind gunicorn use wsgi:app)."""
    from waitress.server import create_server

    listening = _listen(host, port) if listen_fd is None else socket.socket(fileno=listen_fd)
    app = _make_app()
    keep_what_stands()
    settings: Settings = app.config["NEWSLETTER"]
    server = create_server(
        app,
        sockets=[listening],
        threads=_WEB_THREADS,
        ident=None,
        max_request_body_size=_LARGEST_REQUEST,
        # Else waitress drops what the proxies say before ProxyFix, which counts them, could read it.
        clear_untrusted_proxy_headers=settings.trusted_proxies == 0,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if with_parent:
        follow_parent()
    server.run()


@click.command()
@_with_parent
def worker(with_parent: bool) -> None:
    """Send mail and do what is due: jobs on threads, rung for by the pages and by its own ticks."""
    app = _make_app(pages=False)
    keep_what_stands()
    runner = ThreadsRunner(app)
    app.extensions["newsletter_runner"] = runner
    _leave_on_signals()
    if with_parent:
        follow_parent()
    bell = Doorbell(app.config["NEWSLETTER"].data_dir)
    bell.listen()
    ticker = Ticker(lambda job: runner.ring(job, ()))
    ticker.start()
    while not leaving.is_set():
        press = bell.hear(1.0)
        if press is not None:
            _ring(runner, press)
        ticker.heed_clock()
    ticker.stop()
    bell.close()
    runner.stop(_DRAIN_SECONDS)


@click.command()
def scheduler() -> None:
    """Ring for the worker on this machine at every tick, and do nothing else. (A worker has ticks of its own.)"""
    app = _make_app(pages=False)
    _leave_on_signals()
    runner: Runner = app.extensions["newsletter_runner"]
    ticker = Ticker(lambda job: runner.ring(job, ()))
    ticker.start()
    while not leaving.wait(1.0):
        ticker.heed_clock()
    ticker.stop()


def _make_app(*, pages: bool = True) -> Flask:
    from .. import jobs  # noqa: F401  (they register themselves)

    app = make_app(pages=pages)
    with app.app_context():
        organisation = db.session.scalar(the_organisation())
        if organisation is not None and organisation.demo and app.config["NEWSLETTER"].relay_url:
            raise SettingError("This is the demo, which sends no mail: unset NEWSLETTER_RELAY_URL")
    return app


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. It is opened first of all, and kept while the web server is started again."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(512)
    except OSError as error:
        listening.close()
        refuse(f"Cannot listen on {host} port {port} ({error.strerror or error}): use --port to choose another")
    return listening


def _seed(settings: Settings) -> None:
    from ..demo.seed import seed_demo

    if settings.relay_url:
        raise SettingError("The demo sends no mail: unset NEWSLETTER_RELAY_URL")
    organisation = db.session.scalar(the_organisation())
    if organisation is not None and not organisation.demo:
        refuse("This database is not empty and not a demo: set NEWSLETTER_DATA_DIR to a new folder for the demo")
    if organisation is None:
        click.echo("Filling the demo…")
        seed_demo(clock.now())


def _say_how_to_begin(settings: Settings) -> None:
    with transaction():
        organisation = db.session.scalar(the_organisation())
        demo = organisation is not None and organisation.demo
        token = installation.set_up_token(clock.now()) if organisation is None else None
    click.echo(f"Newsletter is at {settings.public_url}")
    if token is not None:
        click.echo(f"Set it up, once, with this link: {settings.public_url}/set-up/{token}")
    elif demo:
        click.echo(f"Sign in as one of the demo's people, with one click: {settings.public_url}/sign-in")
    else:
        click.echo(f"Sign in: {settings.public_url}/sign-in")
    if settings.relay_url is None:
        click.echo(f"No mail leaves this machine. Read it in the built-in mailbox: {settings.public_url}/desk/mailbox")
    click.echo("Ctrl-C ends it.")


def _leave_on_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leaving.set())


def _ring(runner: Runner, press: Press) -> None:
    with logs.about(request_id=press.request_id) if press.request_id else nullcontext():
        try:
            runner.ring(press.job_name, press.ids)
        except LookupError:
            _log.warning("Somebody rang for %r, which is no job", press.job_name)
