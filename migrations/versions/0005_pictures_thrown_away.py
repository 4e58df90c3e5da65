"""Pictures thrown away

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("media", sa.Column("deleted_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.execute("ALTER TABLE media DROP COLUMN deleted_at")
