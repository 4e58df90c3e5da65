"""What is done to many subscribers at once: how far it is, and to whom

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_member",
        sa.Column("action_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "subscriber_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["action_id"], ["bulk_action.id"], name=op.f("fk_bulk_member_action_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_bulk_member_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("action_id", "subscriber_id", name=op.f("pk_bulk_member")),
    )
    op.create_index(op.f("ix_bulk_member_subscriber_id"), "bulk_member", ["subscriber_id"])
    op.add_column("bulk_action", sa.Column("asked", sa.JSON(), server_default="{}", nullable=False))
    # By hand: Alembic adds no column with its rule on SQLite without writing the table anew.
    op.execute(
        "ALTER TABLE bulk_action ADD COLUMN state VARCHAR(32) DEFAULT 'done' NOT NULL"
        " CONSTRAINT ck_bulk_action_state_known CHECK (state IN ('running', 'done', 'undoing', 'undone'))"
    )
    op.add_column("bulk_action", sa.Column("counts", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("bulk_action", sa.Column("finished_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.execute("ALTER TABLE bulk_action DROP COLUMN finished_at")
    op.execute("ALTER TABLE bulk_action DROP COLUMN counts")
    op.execute("ALTER TABLE bulk_action DROP COLUMN state")
    op.execute("ALTER TABLE bulk_action DROP COLUMN asked")
    op.drop_index(op.f("ix_bulk_member_subscriber_id"), table_name="bulk_member")
    op.drop_table("bulk_member")
