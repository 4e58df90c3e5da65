"""Every row of every table, to compare before and after: what must not write is held to the letter."""

from sqlalchemy import select

from newsletter.db import Base, db

Dump = dict[str, list[tuple[object, ...]]]


def dump() -> Dump:
    """All tables by name, each as its rows in the order of their keys."""
    db.session.rollback()
    rows = {}
    for table in Base.metadata.sorted_tables:
        found = db.session.execute(select(table).order_by(*table.primary_key.columns)).all()
        rows[table.name] = [tuple(repr(value) for value in row) for row in found]
    db.session.rollback()
    return rows
