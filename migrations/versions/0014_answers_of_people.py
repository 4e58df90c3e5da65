"""Somebody without an agency says "nothing this time"

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contributor_answer",
        sa.Column("contributor_id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("nothing_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_contributor_answer_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contributor_id"],
            ["contributor.id"],
            name=op.f("fk_contributor_answer_contributor_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issue.id"], name=op.f("fk_contributor_answer_issue_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contributor_id", "issue_id", name=op.f("pk_contributor_answer")),
    )


def downgrade() -> None:
    op.drop_table("contributor_answer")
