"""What a mail filter does to every link before anybody reads the mail: opens it, several times, and presses nothing."""

import html
import re
from collections.abc import Callable, Iterable
from typing import Any

from newsletter.db import Base, db

#: As filters were seen to: twice within half a second, with HEAD between, and with OPTIONS.
METHODS = ("GET", "HEAD", "OPTIONS", "GET")


def dump() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    db.session.rollback()
    with db.engine.connect() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for name, table in Base.metadata.tables.items()
        }


def links_in(*bodies: str, base: str) -> set[str]:
    """The paths of our own pages that the bodies of a mail lead to, as text and as HTML write them."""
    found = set()
    for body in bodies:
        for url in re.findall(rf"{re.escape(base)}(/[^\s\"'<>]*)", html.unescape(body)):
            found.add(url.partition("#")[0])
    return found


def scan(paths: Iterable[str], open_it: Callable[[str, str], int]) -> None:
    """Open each path by each method with `open_it` (method and path to status); nothing may have changed after.

    A page that is over or unknown says so with a status below 500, and changes nothing either.
    """
    before = dump()
    answers = {path: [open_it(method, path) for method in METHODS] for path in sorted(paths)}
    after = dump()
    changed = [name for name, rows in after.items() if rows != before[name]]
    assert not changed, f"looking changed {changed}: {answers}"
    failed = {path: said for path, said in answers.items() if max(said) >= 500}
    assert not failed, f"looking failed: {failed}"
