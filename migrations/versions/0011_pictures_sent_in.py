"""Pictures that come with a contribution

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contribution", sa.Column("pictures", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.execute("ALTER TABLE contribution DROP COLUMN pictures")
