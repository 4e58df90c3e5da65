"""`newsletter serve`, and the same parts as processes of their own: `web`, `worker`, `scheduler`."""

import os
import sys

import click

from .. import clock
from ..config import Settings
from ..db import db, transaction
from ..domain.queries import the_organisation
from ..domain.staff import installation
from ..errors import SettingError
from ..work.standing import keep_what_stands
from .context import refuse
from .processes import HOST, PORT, WITH_PARENT, leave_on_signals, listen, make_lasting_app
from .supervisor import Part, Supervisor, follow_parent
from .working import ring_in_turn, work

#: One processor is enough for 140 sign-ups a second; with a second one, pages and worker share both.
WEB_PROCESSES = min(2, os.cpu_count() or 1)


@click.command()
@click.option("--demo", is_flag=True, help="Fill an empty database with the Larkmere partnership. Sends no mail.")
@click.option(
    "--web-processes",
    default=WEB_PROCESSES,
    type=click.IntRange(1, 16),
    help="For the pages. One for each processor, two at most, unless you say otherwise.",
)
@HOST
@PORT
def serve(demo: bool, web_processes: int, host: str, port: int) -> None:
    """Run everything: the pages and the worker, watched over. Ctrl-C ends it."""
    listening = listen(host, port)
    port = listening.getsockname()[1]
    if not any(os.environ.get(f"NEWSLETTER_PUBLIC_URL{suffix}") for suffix in ("", "_FILE")):
        os.environ["NEWSLETTER_PUBLIC_URL"] = f"http://localhost:{port}"
    # Of the pages, which the others show, only the demo's passwords need something here.
    app = make_lasting_app(pages=demo)
    settings: Settings = app.config["NEWSLETTER"]
    with app.app_context():
        if demo:
            _seed(settings)
        _say_how_to_begin(settings)
        db.session.remove()
        db.engine.dispose()
    # All on one socket: whichever is free takes whoever comes.
    web = ["web", "--listen-fd", str(listening.fileno()), "--with-parent"]
    parts = [Part("web server", web, [listening.fileno()]) for _ in range(web_processes)]
    parts.append(Part("worker", ["worker", "--with-parent"]))
    if settings.runner != "threads":
        parts.append(Part("scheduler", ["scheduler", "--with-parent"]))
    sys.exit(Supervisor(parts).run())


@click.command()
@WITH_PARENT
def worker(with_parent: bool) -> None:
    """Send mail and do what is due: jobs on threads, rung for by the pages, by the scheduler and by its own ticks."""
    app = make_lasting_app(pages=False)
    keep_what_stands()
    leave_on_signals()
    if with_parent:
        follow_parent()
    with app.app_context():
        work(app)


@click.command()
@WITH_PARENT
def scheduler(with_parent: bool) -> None:
    """Ring for the workers at every tick. Of several, on whatever machines, one rings and the others stand by."""
    app = make_lasting_app(pages=False)
    leave_on_signals()
    if with_parent:
        follow_parent()
    with app.app_context():
        ring_in_turn(app)


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
