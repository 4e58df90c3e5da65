"""What the processes say, what is wrong, and accounts elsewhere that may sign in

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KINDS_OF_TROUBLE = (
    "worker_gone",
    "scheduler_silent",
    "relay_down",
    "notices_wait",
    "mailbox_unreadable",
    "disk_nearly_full",
    "clock_wrong",
    "job_fails",
    "backup_old",
)


def upgrade() -> None:
    op.create_table(
        "process_sign",
        sa.Column("worker_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("disk_free", sa.BigInteger(), nullable=False),
        sa.Column("clock_ahead", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_process_sign_worker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_process_sign")),
    )
    op.create_table(
        "operation_total",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("latest", sa.Double(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("said", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name", "label", name=op.f("pk_operation_total")),
    )
    op.create_table(
        "trouble",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*_KINDS_OF_TROUBLE, name="kind_known", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("said", sa.String(length=600), nullable=False),
        sa.Column("began_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("told_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("ended_at IS NULL OR ended_at >= began_at", name=op.f("ck_trouble_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trouble")),
    )
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_trouble_open",
        "trouble",
        ["kind", "subject"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("linked_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_identity_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identity_issuer_subject")),
        sa.UniqueConstraint("account_id", "issuer", name=op.f("uq_identity_account_id_issuer")),
    )


def downgrade() -> None:
    op.drop_table("identity")
    op.drop_index("uq_trouble_open", table_name="trouble")
    op.drop_table("trouble")
    op.drop_table("operation_total")
    op.drop_table("process_sign")
