"""The words by which subscribers are found

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_WORD = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")
_PAUSED = sa.text("paused_until IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "subscriber_word",
        sa.Column("word", _WORD, nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_subscriber_word_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word", "subscriber_id", name=op.f("pk_subscriber_word")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_subscriber_word_subscriber_id"), "subscriber_word", ["subscriber_id"])
    op.create_table(
        "words_wanted",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("last_id >= first_id", name=op.f("ck_words_wanted_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_words_wanted")),
    )
    op.create_index(
        op.f("ix_subscription_paused_until"),
        "subscription",
        ["paused_until"],
        sqlite_where=_PAUSED,
        postgresql_where=_PAUSED,
    )
    # Whoever is there already gets their words by the job.
    op.execute(
        "INSERT INTO words_wanted (first_id, last_id) SELECT min(id), max(id) FROM subscriber HAVING count(*) > 0"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_subscription_paused_until"), table_name="subscription")
    op.drop_table("words_wanted")
    op.drop_index(op.f("ix_subscriber_word_subscriber_id"), table_name="subscriber_word")
    op.drop_table("subscriber_word")
