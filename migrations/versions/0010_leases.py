"""Leases, parts of the schema, what a process is for

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("counts_from", sa.String(length=64), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("term > 0", name=op.f("ck_lease_term_counts_from_one")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "schema_part",
        sa.Column("part", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("oldest_code", sa.String(length=40), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_schema_part")),
    )
    op.add_column("worker", sa.Column("part", sa.String(length=20), server_default="run", nullable=False))


def downgrade() -> None:
    op.execute("ALTER TABLE worker DROP COLUMN part")
    op.drop_table("schema_part")
    op.drop_table("lease")
