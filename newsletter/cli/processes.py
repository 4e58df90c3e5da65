"""What the commands share that run for as long as they are let: their application, their socket, their leaving."""

import signal
import socket

import click
from flask import Flask

from ..db import db
from ..domain.queries import the_organisation
from ..errors import SettingError
from ..work.liveness import leaving
from .context import make_app, refuse

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000

HOST = click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
PORT = click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535))
WITH_PARENT = click.option("--with-parent", is_flag=True, hidden=True)


def make_lasting_app(*, pages: bool = True) -> Flask:
    """An application that knows the jobs. Raises SettingError where the demo would send mail."""
    from .. import jobs  # noqa: F401  (they register themselves)

    app = make_app(pages=pages)
    with app.app_context():
        organisation = db.session.scalar(the_organisation())
        if organisation is not None and organisation.demo and app.config["NEWSLETTER"].relay_url:
            raise SettingError("This is the demo, which sends no mail: unset NEWSLETTER_RELAY_URL")
    return app


def listen(host: str, port: int) -> socket.socket:
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


def leave_on_signals() -> None:
    """SIGTERM and Ctrl-C set `leaving`: finish what is in hand, take nothing new."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leaving.set())
