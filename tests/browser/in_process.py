"""An application that answers on a port of its own, in this process: stories prepare in its database what they need."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import BrowserContext
from werkzeug.serving import make_server

from newsletter import clock
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.staff import browser_sessions
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Account
from newsletter.work.runners import SilentRunner
from tests.conftest import KEY

from .conftest import free_port


@contextmanager
def answering(folder: Path, **settings: Any) -> Iterator[Flask]:
    """The application on an empty database in `folder`; it answers once the body of the `with` is entered."""
    port = free_port()
    app = create_app(
        Settings(
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'newsletter.db'}",
            public_url=f"http://localhost:{port}",
            secret_keys=(KEY,),
            **settings,
        ),
        runner=SilentRunner(),
        relay=MemoryRelay(),
    )
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    with app.app_context():
        db.create_all()
        thread.start()
        try:
            yield app
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            db.session.remove()
            db.engine.dispose()


def home(app: Flask) -> str:
    """Where it answers."""
    return str(app.config["NEWSLETTER"].public_url)


def sign_in(app: Flask, context: BrowserContext, name: str) -> None:
    """Sign somebody of the staff in, in this browser: a session and its cookie, without password and code."""
    db.session.rollback()
    account = db.session.query(Account).filter_by(name=name).one()
    with transaction():
        session_id = browser_sessions.start(account, now=clock.now())
    interface: Any = app.session_interface
    value = interface.write({"sid": session_id, "csrf_token": secrets.token_hex(20)})
    context.add_cookies([{"name": interface.cookie_name, "value": value, "url": home(app)}])
