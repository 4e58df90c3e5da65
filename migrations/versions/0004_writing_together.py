"""Writing together

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_check",
        sa.Column("url_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "reached",
                "unreachable",
                "not_asked",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("checked_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("url_hash", name=op.f("pk_link_check")),
    )
    op.create_table(
        "book_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "person", "link", "acronym", name="kind_known", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("end_reason", sa.String(length=300), nullable=False),
        sa.CheckConstraint("ended_at IS NULL OR end_reason <> ''", name=op.f("ck_book_entry_reason_if_ended")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["account.id"], name=op.f("fk_book_entry_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["mailing_list.id"], name=op.f("fk_book_entry_list_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_entry")),
    )
    with op.batch_alter_table("book_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_book_entry_list_id_kind"), ["list_id", "kind"], unique=False)

    op.create_table(
        "test_address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("address_key", sa.String(length=254), nullable=False),
        sa.Column("note", sa.String(length=100), nullable=False),
        sa.Column("added_at", UTCDateTime(), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["account.id"], name=op.f("fk_test_address_added_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["mailing_list.id"], name=op.f("fk_test_address_list_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_address")),
        sa.UniqueConstraint("list_id", "address_key", name=op.f("uq_test_address_list_id_address_key")),
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["account.id"], name=op.f("fk_correction_actor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_correction_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_correction_issue_id"), ["issue_id"], unique=False)

    op.create_table(
        "draft_share",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("for_whom", sa.String(length=150), nullable=False),
        sa.Column("may_comment", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["account.id"], name=op.f("fk_draft_share_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_draft_share_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_share")),
        sa.UniqueConstraint("public_id", name=op.f("uq_draft_share_public_id")),
    )
    with op.batch_alter_table("draft_share", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_share_issue_id"), ["issue_id"], unique=False)

    op.create_table(
        "follow_up",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=True),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("heading", sa.String(length=200), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting", "kept", "let_go", name="state_known", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("not_before_issue_id", sa.Integer(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["account.id"], name=op.f("fk_follow_up_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_follow_up_issue_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["list_id"], ["mailing_list.id"], name=op.f("fk_follow_up_list_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["not_before_issue_id"], ["issue.id"], name=op.f("fk_follow_up_not_before_issue_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_up_list_id_state"), ["list_id", "state"], unique=False)

    op.create_table(
        "presence",
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_presence_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_presence_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", "account_id", name=op.f("pk_presence")),
    )
    op.create_table(
        "read_document",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_read_document_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_read_document_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_document")),
        sa.UniqueConstraint("public_id", name=op.f("uq_read_document_public_id")),
    )
    with op.batch_alter_table("read_document", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_read_document_at"), ["at"], unique=False)

    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author_name", sa.String(length=100), nullable=False),
        sa.Column("share_id", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.Column("resolved_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_comment_author_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["block_id"], ["block.id"], name=op.f("fk_comment_block_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_comment_issue_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["account.id"], name=op.f("fk_comment_resolved_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["share_id"], ["draft_share.id"], name=op.f("fk_comment_share_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_comment_issue_id_block_id"), ["issue_id", "block_id"], unique=False)

    # Not in batches: those would build the tables anew on SQLite, without the checks that they carry.
    op.add_column("approval", sa.Column("comment", sa.Text(), server_default="", nullable=False))
    op.add_column("mailing_list", sa.Column("needs_approval", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column(
        "mailing_list", sa.Column("requires_help_line", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    no = "0" if op.get_bind().dialect.name == "sqlite" else "false"
    op.execute(
        f"ALTER TABLE issue ADD COLUMN archive_only BOOLEAN DEFAULT {no} NOT NULL"
        " CONSTRAINT ck_issue_archive_only_never_sent"
        " CHECK (NOT archive_only OR (recipients = 0 AND state IN ('draft', 'sent', 'cancelled')))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE issue DROP COLUMN archive_only")
    op.execute("ALTER TABLE mailing_list DROP COLUMN requires_help_line")
    op.execute("ALTER TABLE mailing_list DROP COLUMN needs_approval")
    op.execute("ALTER TABLE approval DROP COLUMN comment")
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_comment_issue_id_block_id"))

    op.drop_table("comment")
    with op.batch_alter_table("read_document", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_read_document_at"))

    op.drop_table("read_document")
    op.drop_table("presence")
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_follow_up_list_id_state"))

    op.drop_table("follow_up")
    with op.batch_alter_table("draft_share", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draft_share_issue_id"))

    op.drop_table("draft_share")
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_correction_issue_id"))

    op.drop_table("correction")
    op.drop_table("test_address")
    with op.batch_alter_table("book_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_book_entry_list_id_kind"))

    op.drop_table("book_entry")
    op.drop_table("link_check")
