"""Who is asked whether they still want a list, and what they said

Revision ID: 0018
Revises: 0021
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0018"
down_revision = "0021"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("state = 'asked'")


def upgrade() -> None:
    op.add_column("subscription", sa.Column("renewed_at", UTCDateTime(), nullable=True))
    op.create_table(
        "renewal_rule",
        sa.Column("list_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("off_reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("months = 0 OR months BETWEEN 6 AND 60", name=op.f("ck_renewal_rule_months_known")),
        sa.CheckConstraint("months > 0 OR off_reason <> ''", name=op.f("ck_renewal_rule_off_for_a_reason")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["account.id"], name=op.f("fk_renewal_rule_decided_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["mailing_list.id"], name=op.f("fk_renewal_rule_list_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_renewal_rule")),
    )
    op.create_table(
        "renewal",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", _KEY, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                *("asked", "kept", "lapsed", "unanswered", "ended"),
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("reminded_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("notice_id", _KEY, nullable=True),
        sa.CheckConstraint("(state = 'asked') = (ended_at IS NULL)", name=op.f("ck_renewal_ended_at_if_ended")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_renewal_notice_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_renewal_subscription_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal")),
        sa.UniqueConstraint("public_id", name=op.f("uq_renewal_public_id")),
    )
    op.create_index(op.f("ix_renewal_subscription_id_asked_at"), "renewal", ["subscription_id", "asked_at"])
    op.create_index(
        "uq_renewal_subscription_id_open",
        "renewal",
        ["subscription_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(op.f("ix_renewal_asked_at"), "renewal", ["asked_at"])
    op.create_index(op.f("ix_renewal_notice_id"), "renewal", ["notice_id"])


def downgrade() -> None:
    op.drop_table("renewal")
    op.drop_table("renewal_rule")
    op.execute("ALTER TABLE subscription DROP COLUMN renewed_at")
