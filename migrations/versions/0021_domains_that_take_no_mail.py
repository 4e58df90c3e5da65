"""Whether the domains of those who sign up take mail

Revision ID: 0021
Revises: 0017
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0021"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_domain",
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("takes_mail", sa.Boolean(), nullable=True),
        sa.Column("looked_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_mail_domain")),
    )
    op.create_index(op.f("ix_mail_domain_looked_at"), "mail_domain", ["looked_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_mail_domain_looked_at"), table_name="mail_domain")
    op.drop_table("mail_domain")
