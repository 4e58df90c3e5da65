"""What processes on many machines agree on: who does what only one may do, and which tables stand here."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model
from ._columns import String, UTCDateTime


class Lease(Model):
    """A duty of one process at a time, such as ringing at every tick.

    Whether it still holds is asked of a clock that nobody sets: the database's on PostgreSQL, the machine's on SQLite
    (`counts_from` is its boot id there, "" elsewhere). `ends` is in its microseconds. Each new holder has a new `term`.
    """

    __tablename__ = "lease"
    __table_args__ = (CheckConstraint("term > 0", name="term_counts_from_one"),)

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))
    term: Mapped[int]
    counts_from: Mapped[str] = mapped_column(String(64))
    ends: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)


class SchemaPart(Model):
    """What stands in this database beside what Alembic records.

    The part "procrastinate" has the last step of its own history that was applied. The part "newsletter" has in
    `oldest_code` the revision that a program must know at least to work with these tables: older ones stop.
    """

    __tablename__ = "schema_part"

    part: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[str] = mapped_column(String(200), default="")
    oldest_code: Mapped[str] = mapped_column(String(40), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
