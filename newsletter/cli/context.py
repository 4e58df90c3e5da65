"""What every command shares: an application, a way to print data, a bar for long work."""

import json
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click
from flask import Flask

from .. import logs
from ..app import create_app
from ..config import Settings
from ..errors import NewsletterError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Item = TypeVar("_Item")


def with_app(command: Callable[_P, _T]) -> Callable[_P, _T]:
    """Run the command inside an application context, made from the environment.

    Brings the tables up to date first if the database is new, so that a first command works on a bare machine.
    """

    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with make_app().app_context():
            return command(*args, **kwargs)

    return run


def make_app(*, pages: bool = True) -> Flask:
    """An application from the environment, its tables made if there are none."""
    from ..schema import prepare_schema

    settings = Settings.from_environment()
    logs.configure(settings.log_format, settings.log_level)
    app = create_app(settings, pages=pages)
    with app.app_context():
        prepare_schema()
    return app


def refuse(error: NewsletterError | str) -> None:
    """One sentence on standard error, and exit status 1."""
    click.echo(str(error), err=True)
    sys.exit(1)


def print_json(value: Any) -> None:
    """Data for machines on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def progress(items: Iterable[_Item], *, length: int | None = None, label: str) -> Iterable[_Item]:
    """The items, with a bar on standard error while they are gone through (none where it is not a terminal)."""
    with click.progressbar(items, length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield from bar
