"""Who took a list of subscribers out, and why

Revision ID: 0017
Revises: 0015
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subscriber_export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("whom", sa.String(length=200), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("handed", sa.BigInteger(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_subscriber_export_reason_given")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_subscriber_export_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["mailing_list.id"], name=op.f("fk_subscriber_export_list_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber_export")),
        sa.UniqueConstraint("reference", name=op.f("uq_subscriber_export_reference")),
    )


def downgrade() -> None:
    op.drop_table("subscriber_export")
