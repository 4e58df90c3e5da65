"""The pages under gunicorn: a master that opens nothing to the database, and processes forked from it."""

import os
import socket
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from ..db import db
from .attending import Attendance

#: Longer than a picture or a document takes to be read, on a busy machine.
_PATIENCE_SECONDS = 120
_DRAIN_SECONDS = 30
#: A mail filter's or a proxy's next request comes at once or not at all.
_KEEP_SECONDS = 5
_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  (memory, as gunicorn's manual advises for its heartbeats)


class _Logger(Logger):
    """What the server has to say goes the way of all other lines, in their form."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class _Server(BaseApplication):
    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app, self._options = app, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app


def serve_by_gunicorn(processes: int, app: Flask, listening: socket.socket, threads: int) -> None:
    """Serve until SIGTERM, which lets requests end for 30 seconds. Does not return."""
    # What was asked before the fork was asked over connections that no two processes may share.
    with app.app_context():
        db.session.remove()
        db.engine.dispose()

    attendance = Attendance(app)

    def begin(_server: object, _worker: object) -> None:
        with app.app_context():
            db.engine.dispose(close=False)
        attendance.begin()

    def leave(_server: object, _worker: object) -> None:
        attendance.end()

    listening.set_inheritable(True)
    _Server(
        app,
        {
            "bind": f"fd://{listening.fileno()}",
            "workers": processes,
            "threads": threads,
            "worker_class": "gthread",
            "timeout": _PATIENCE_SECONDS,
            "graceful_timeout": _DRAIN_SECONDS,
            "keepalive": _KEEP_SECONDS,
            "post_fork": begin,
            "worker_exit": leave,
            "proc_name": "newsletter web",
            # Addresses of pages are links that act, and of people: they are in no log of ours.
            "accesslog": None,
            "loglevel": "warning",
            "logger_class": _Logger,
            # ProxyFix alone decides whom to believe, by NEWSLETTER_TRUSTED_PROXIES.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "worker_tmp_dir": str(_MEMORY_FOLDER) if os.access(_MEMORY_FOLDER, os.W_OK) else None,
        },
    ).run()
