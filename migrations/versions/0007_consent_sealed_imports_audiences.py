"""Consent sealed, imports, audiences, what can be shown

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent_seal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("last_id >= first_id", name=op.f("ck_consent_seal_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_seal")),
        sa.UniqueConstraint("first_id", name=op.f("uq_consent_seal_first_id")),
    )
    op.create_table(
        "examination",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("worst", sa.String(length=20), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examination")),
    )
    op.create_table(
        "sector",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_sector")),
    )
    op.create_table(
        "data_complaint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("acknowledge_by", UTCDateTime(), nullable=False),
        sa.Column("acknowledged_at", UTCDateTime(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("answered_at IS NULL OR answer <> ''", name=op.f("ck_data_complaint_answer_if_answered")),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["account.id"], name=op.f("fk_data_complaint_answered_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_complaint")),
        sa.UniqueConstraint("public_id", name=op.f("uq_data_complaint_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_data_complaint_reference")),
    )
    with op.batch_alter_table("data_complaint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_data_complaint_answered_at"), ["answered_at"], unique=False)

    op.create_table(
        "governance_version",
        sa.Column(
            "kind",
            sa.Enum(
                "accessibility",
                "processing",
                "impact",
                "breach",
                "complaints",
                name="kind_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.Column("published_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["published_by_id"], ["account.id"], name=op.f("fk_governance_version_published_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("kind", "version", name=op.f("pk_governance_version")),
    )
    op.create_table(
        "take_down",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_take_down_reason_given")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_take_down_account_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_take_down")),
        sa.UniqueConstraint("public_id", name=op.f("uq_take_down_public_id")),
    )
    with op.batch_alter_table("take_down", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_take_down_at"), ["at"], unique=False)

    op.create_table(
        "audience",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["account.id"], name=op.f("fk_audience_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["list_id"], ["mailing_list.id"], name=op.f("fk_audience_list_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience")),
    )
    with op.batch_alter_table("audience", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audience_list_id"), ["list_id"], unique=False)

    op.create_table(
        "bulk_action",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("undo", sa.JSON(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_bulk_action_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["mailing_list.id"], name=op.f("fk_bulk_action_list_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_action")),
    )
    with op.batch_alter_table("bulk_action", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bulk_action_at"), ["at"], unique=False)

    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "uploaded",
                "running",
                "stopped",
                "done",
                "failed",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("basis_note", sa.Text(), nullable=False),
        sa.Column("ask_them", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("done_rows >= 0", name=op.f("ck_import_run_done_rows_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_import_run_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["mailing_list.id"], name=op.f("fk_import_run_list_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sa.UniqueConstraint("public_id", name=op.f("uq_import_run_public_id")),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_run_list_id"), ["list_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_import_run_state"), ["state"], unique=False)

    op.create_table(
        "issue_audience",
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("audience_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["audience_id"], ["audience.id"], name=op.f("fk_issue_audience_audience_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issue.id"], name=op.f("fk_issue_audience_issue_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_issue_audience")),
    )
    op.create_table(
        "sealed_copy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("rendition_id", sa.Integer(), nullable=False),
        sa.Column("take_down_id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["rendition_id"], ["rendition.id"], name=op.f("fk_sealed_copy_rendition_id")),
        sa.ForeignKeyConstraint(["take_down_id"], ["take_down.id"], name=op.f("fk_sealed_copy_take_down_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_copy")),
    )
    with op.batch_alter_table("sealed_copy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sealed_copy_rendition_id"), ["rendition_id"], unique=False)

    op.add_column("consent", sa.Column("salt", sa.LargeBinary(length=16), nullable=True))
    op.add_column("consent", sa.Column("digest", sa.LargeBinary(length=32), nullable=True))

    op.add_column("issue_version", sa.Column("subject", sa.String(length=200), server_default="", nullable=False))
    op.add_column("issue_version", sa.Column("preheader", sa.String(length=200), server_default="", nullable=False))

    op.add_column("sign_up", sa.Column("sector", sa.String(length=40), server_default="", nullable=False))
    op.add_column("sign_up", sa.Column("reminded_at", UTCDateTime(), nullable=True))

    op.add_column("subscriber", sa.Column("sector", sa.String(length=40), server_default="", nullable=False))

    op.add_column("subscription", sa.Column("left_reason", sa.String(length=40), server_default="", nullable=False))
    op.add_column("subscription", sa.Column("left_words", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.execute("ALTER TABLE subscription DROP COLUMN left_words")
    op.execute("ALTER TABLE subscription DROP COLUMN left_reason")

    op.execute("ALTER TABLE subscriber DROP COLUMN sector")

    op.execute("ALTER TABLE sign_up DROP COLUMN reminded_at")
    op.execute("ALTER TABLE sign_up DROP COLUMN sector")

    op.execute("ALTER TABLE issue_version DROP COLUMN preheader")
    op.execute("ALTER TABLE issue_version DROP COLUMN subject")

    op.execute("ALTER TABLE consent DROP COLUMN digest")
    op.execute("ALTER TABLE consent DROP COLUMN salt")

    with op.batch_alter_table("sealed_copy", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sealed_copy_rendition_id"))

    op.drop_table("sealed_copy")
    op.drop_table("issue_audience")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_run_state"))
        batch_op.drop_index(batch_op.f("ix_import_run_list_id"))

    op.drop_table("import_run")
    with op.batch_alter_table("bulk_action", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bulk_action_at"))

    op.drop_table("bulk_action")
    with op.batch_alter_table("audience", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audience_list_id"))

    op.drop_table("audience")
    with op.batch_alter_table("take_down", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_take_down_at"))

    op.drop_table("take_down")
    op.drop_table("governance_version")
    with op.batch_alter_table("data_complaint", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_data_complaint_answered_at"))

    op.drop_table("data_complaint")
    op.drop_table("sector")
    op.drop_table("examination")
    op.drop_table("consent_seal")
