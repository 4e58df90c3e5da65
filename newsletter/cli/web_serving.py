"""`newsletter web`: the pages, by waitress in one process or by gunicorn in many."""

import logging
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial

import click
from flask import Flask

from ..config import Settings
from ..errors import SettingError
from ..work.standing import keep_what_stands
from .attending import Attendance
from .large_bodies import USUAL, channels
from .processes import HOST, PORT, WITH_PARENT, listen, make_lasting_app
from .supervisor import follow_parent

_THREADS = 8


@click.command()
@HOST
@PORT
@click.option(
    "--processes", default=1, show_default=True, type=click.IntRange(1, 256), help="More than one: under gunicorn."
)
@click.option("--threads", default=_THREADS, show_default=True, type=click.IntRange(1, 256), help="Of each process.")
@click.option("--listen-fd", type=int, hidden=True)
@WITH_PARENT
def web(host: str, port: int, processes: int, threads: int, listen_fd: int | None, with_parent: bool) -> None:
    """Serve the pages: one process of waitress, or several under gunicorn (extra "gunicorn")."""
    serve = _gunicorn(processes) if processes > 1 else _serve_by_waitress
    listening = listen(host, port) if listen_fd is None else socket.socket(fileno=listen_fd)
    # Here, before any process is forked: a setting that is wrong is one sentence, and all share what stands.
    app = make_lasting_app()
    keep_what_stands()
    if with_parent:
        follow_parent()
    serve(app, listening, threads)


def _serve_by_waitress(app: Flask, listening: socket.socket, threads: int) -> None:
    from waitress.server import create_server

    settings: Settings = app.config["NEWSLETTER"]
    server = create_server(
        app,
        sockets=[listening],
        threads=threads,
        ident=None,
        max_request_body_size=USUAL,
        # Else waitress drops what the proxies say before ProxyFix, which counts them, could read it.
        clear_untrusted_proxy_headers=settings.trusted_proxies == 0,
    )
    server.channel_class = channels(app)
    # It says of each request that it waited, at the moment when writing lines is what there is no time for.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    attendance = Attendance(app)
    attendance.begin()
    try:
        server.run()
    finally:
        attendance.end()


def _gunicorn(processes: int) -> Callable[[Flask, socket.socket, int], None]:
    try:
        from .gunicorn_serving import serve_by_gunicorn
    except ModuleNotFoundError:
        raise SettingError('--processes needs its extra: pip install "newsletter[gunicorn]"') from None
    return partial(serve_by_gunicorn, processes)
