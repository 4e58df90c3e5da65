"""An installation that was restored says so

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organisation", sa.Column("restored_at", UTCDateTime(), nullable=True))
    op.add_column("organisation", sa.Column("backup_made_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.execute("ALTER TABLE organisation DROP COLUMN backup_made_at")
    op.execute("ALTER TABLE organisation DROP COLUMN restored_at")
