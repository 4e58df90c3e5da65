"""Calls, agencies, contributors

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _checks() -> tuple[sa.CheckConstraint, ...]:
    """The rules that contributions have had since the first day: SQLite copies the table, and would leave them out."""
    return (
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'changes_requested', 'accepted', 'declined', 'withdrawn', 'merged')",
            name=op.f("ck_contribution_state_known"),
        ),
        sa.CheckConstraint(
            "state = 'draft' OR submitted_at IS NOT NULL", name=op.f("ck_contribution_submitted_at_if_submitted")
        ),
        sa.CheckConstraint("NOT (late AND in_grace)", name=op.f("ck_contribution_grace_is_not_late")),
    )


def upgrade() -> None:
    op.create_table(
        "agency",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("name_key", sa.String(length=150), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["mailing_list.id"], name=op.f("fk_agency_list_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
        sa.UniqueConstraint("name_key", name=op.f("uq_agency_name_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_agency_public_id")),
    )
    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agency_list_id"), ["list_id"], unique=False)

    op.create_table(
        "cadence_rule",
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("send_rule", sa.Text(), nullable=False),
        sa.Column("send_time", sa.Time(), nullable=False),
        sa.Column("deadline_rule", sa.Text(), nullable=False),
        sa.Column("deadline_time", sa.Time(), nullable=False),
        sa.Column("approval_days_before", sa.Integer(), nullable=False),
        sa.Column("reminder_days", sa.JSON(), nullable=False),
        sa.Column("region", sa.String(length=10), nullable=False),
        sa.Column(
            "naming",
            sa.Enum(
                "month", "season", "number", name="naming_known", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("approval_days_before >= 0", name=op.f("ck_cadence_rule_approval_days_not_negative")),
        sa.ForeignKeyConstraint(
            ["list_id"], ["mailing_list.id"], name=op.f("fk_cadence_rule_list_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["account.id"], name=op.f("fk_cadence_rule_updated_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_cadence_rule")),
    )
    op.create_table(
        "chase",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invitation",
                "reminder",
                "last_call",
                "moved",
                "closed",
                "extension_ends",
                "digest",
                "out",
                name="kind_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("occasion", sa.Integer(), nullable=False),
        sa.Column("deadline_version", sa.Integer(), nullable=False),
        sa.Column("address_key", sa.String(length=254), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_chase_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chase")),
        sa.UniqueConstraint(
            "issue_id",
            "kind",
            "occasion",
            "deadline_version",
            "address_key",
            name=op.f("uq_chase_issue_id_kind_occasion_deadline_version_address_key"),
        ),
    )
    op.create_table(
        "contributor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("address_key", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.Column("asked_words", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("invited_at", UTCDateTime(), nullable=True),
        sa.Column("invited_by_id", sa.Integer(), nullable=True),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("proved_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_contributor_agency_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["account.id"], name=op.f("fk_contributor_invited_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contributor")),
        sa.UniqueConstraint("address_key", name=op.f("uq_contributor_address_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contributor_public_id")),
    )
    with op.batch_alter_table("contributor", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contributor_agency_id"), ["agency_id"], unique=False)

    op.create_table(
        "agency_answer",
        sa.Column("agency_id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("nothing_at", UTCDateTime(), nullable=False),
        sa.Column("contributor_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_agency_answer_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_agency_answer_agency_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contributor_id"], ["contributor.id"], name=op.f("fk_agency_answer_contributor_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_agency_answer_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("agency_id", "issue_id", name=op.f("pk_agency_answer")),
    )
    op.create_table(
        "contributor_session",
        sa.Column("id_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("contributor_id", sa.Integer(), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contributor_id"],
            ["contributor.id"],
            name=op.f("fk_contributor_session_contributor_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_contributor_session")),
    )
    with op.batch_alter_table("contributor_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contributor_session_contributor_id"), ["contributor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contributor_session_ends_at"), ["ends_at"], unique=False)

    op.create_table(
        "address_proof",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "sign_in", "contribution", name="purpose_known", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("address_key", sa.String(length=254), nullable=False),
        sa.Column("contributor_id", sa.Integer(), nullable=True),
        sa.Column("contribution_id", sa.Integer(), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_address_proof_tries_not_negative")),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contribution.id"], name=op.f("fk_address_proof_contribution_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contributor_id"], ["contributor.id"], name=op.f("fk_address_proof_contributor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_proof")),
        sa.UniqueConstraint("public_id", name=op.f("uq_address_proof_public_id")),
    )
    with op.batch_alter_table("address_proof", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_address_proof_address_key_created_at"), ["address_key", "created_at"], unique=False
        )

    op.create_table(
        "contribution_revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "changes_requested",
                "accepted",
                "declined",
                "withdrawn",
                "merged",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contribution_id"],
            ["contribution.id"],
            name=op.f("fk_contribution_revision_contribution_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contribution_revision")),
    )
    with op.batch_alter_table("contribution_revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contribution_revision_contribution_id"), ["contribution_id"], unique=False)

    op.create_table(
        "extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("contributor_id", sa.Integer(), nullable=True),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("contribution_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "asked",
                "granted",
                "refused",
                "used",
                "revoked",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.Column("deadline_date", sa.Date(), nullable=True),
        sa.Column("deadline_time", sa.Time(), nullable=True),
        sa.Column("deadline_zone", sa.String(length=64), nullable=True),
        sa.Column("deadline_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('asked', 'refused') OR deadline_at IS NOT NULL", name=op.f("ck_extension_end_if_granted")
        ),
        sa.CheckConstraint(
            "(deadline_at IS NULL) = (deadline_date IS NULL) AND (deadline_at IS NULL) = (deadline_time IS NULL) AND (deadline_at IS NULL) = (deadline_zone IS NULL)",
            name=op.f("ck_extension_deadline_whole"),
        ),
        sa.CheckConstraint(
            "contributor_id IS NOT NULL OR agency_id IS NOT NULL OR contribution_id IS NOT NULL",
            name=op.f("ck_extension_for_somebody"),
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_extension_agency_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contribution.id"], name=op.f("fk_extension_contribution_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contributor_id"], ["contributor.id"], name=op.f("fk_extension_contributor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["account.id"], name=op.f("fk_extension_decided_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_extension_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
        sa.UniqueConstraint("public_id", name=op.f("uq_extension_public_id")),
    )
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_extension_contribution_id"), ["contribution_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_extension_contributor_id"), ["contributor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_extension_issue_id_state"), ["issue_id", "state"], unique=False)

    op.create_table(
        "views_page",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("closed_early_at", UTCDateTime(), nullable=True),
        sa.Column("purged_at", UTCDateTime(), nullable=True),
        sa.Column("answered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deadline_date", sa.Date(), nullable=True),
        sa.Column("deadline_time", sa.Time(), nullable=True),
        sa.Column("deadline_zone", sa.String(length=64), nullable=True),
        sa.Column("deadline_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(deadline_at IS NULL) = (deadline_date IS NULL) AND (deadline_at IS NULL) = (deadline_time IS NULL) AND (deadline_at IS NULL) = (deadline_zone IS NULL)",
            name=op.f("ck_views_page_deadline_whole"),
        ),
        sa.ForeignKeyConstraint(["block_id"], ["block.id"], name=op.f("fk_views_page_block_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["account.id"], name=op.f("fk_views_page_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_views_page_issue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_views_page")),
        sa.UniqueConstraint("block_id", name=op.f("uq_views_page_block_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_views_page_public_id")),
    )
    with op.batch_alter_table("views_page", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_views_page_issue_id"), ["issue_id"], unique=False)

    op.create_table(
        "views_answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("form_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("organisation", sa.String(length=150), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("in_grace", sa.Boolean(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["views_page.id"], name=op.f("fk_views_answer_page_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_views_answer")),
        sa.UniqueConstraint("page_id", "form_key", name=op.f("uq_views_answer_page_id_form_key")),
    )
    with op.batch_alter_table("contribution", table_args=_checks()) as batch_op:
        batch_op.add_column(sa.Column("contributor_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("agency_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "source",
                sa.Enum(
                    "web", "mail", "staff", name="source_known", native_enum=False, create_constraint=True, length=32
                ),
                server_default="web",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column("inbound_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("kind", sa.String(length=32), server_default="section", nullable=False))
        batch_op.add_column(sa.Column("data", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("revision", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("updated_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("declared_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("proved_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("prove_by", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("edit_until", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("withdrawal_asked_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("withdrawal_words", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("confirm_by", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("confirm_version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("confirmed_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("suggested", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(
            sa.Column("outcome_notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.create_index(batch_op.f("ix_contribution_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contribution_contributor_id"), ["contributor_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_contribution_outcome_notice_id"),
            "notice",
            ["outcome_notice_id"],
            ["id"],
            ondelete="SET NULL",
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_contribution_merged_into_id"), "contribution", ["merged_into_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_contribution_contributor_id"), "contributor", ["contributor_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_contribution_inbound_id"), "inbound_message", ["inbound_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_contribution_agency_id"), "agency", ["agency_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_check_constraint(
            op.f("ck_contribution_merged_into_if_merged"), "(state = 'merged') = (merged_into_id IS NOT NULL)"
        )

    op.add_column("issue", sa.Column("approval_on", sa.Date(), nullable=True))
    op.add_column("issue", sa.Column("planned_key", sa.String(length=10), nullable=True))
    op.add_column("issue", sa.Column("number", sa.Integer(), nullable=True))
    op.add_column("issue", sa.Column("call_opened_at", UTCDateTime(), nullable=True))
    op.create_index("uq_issue_list_id_planned_key", "issue", ["list_id", "planned_key"], unique=True)
    op.add_column("mailing_list", sa.Column("uses_agencies", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("mailing_list", sa.Column("contribution_words", sa.Integer(), server_default="400", nullable=False))


def downgrade() -> None:
    op.execute("ALTER TABLE mailing_list DROP COLUMN contribution_words")
    op.execute("ALTER TABLE mailing_list DROP COLUMN uses_agencies")
    op.drop_index("uq_issue_list_id_planned_key", "issue")
    for column in ("call_opened_at", "number", "planned_key", "approval_on"):
        op.execute(f"ALTER TABLE issue DROP COLUMN {column}")

    with op.batch_alter_table("contribution", table_args=_checks()) as batch_op:
        batch_op.drop_constraint(op.f("ck_contribution_merged_into_if_merged"), type_="check")
        batch_op.drop_constraint(op.f("ck_contribution_source_known"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_contribution_agency_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_contribution_inbound_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_contribution_contributor_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_contribution_merged_into_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_contribution_outcome_notice_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_contribution_contributor_id"))
        batch_op.drop_index(batch_op.f("ix_contribution_agency_id"))
        batch_op.drop_column("outcome_notice_id")
        batch_op.drop_column("suggested")
        batch_op.drop_column("confirmed_at")
        batch_op.drop_column("confirm_version")
        batch_op.drop_column("confirm_by")
        batch_op.drop_column("withdrawal_words")
        batch_op.drop_column("withdrawal_asked_at")
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("merged_into_id")
        batch_op.drop_column("edit_until")
        batch_op.drop_column("prove_by")
        batch_op.drop_column("proved_at")
        batch_op.drop_column("declared_at")
        batch_op.drop_column("updated_at")
        batch_op.drop_column("revision")
        batch_op.drop_column("data")
        batch_op.drop_column("kind")
        batch_op.drop_column("inbound_id")
        batch_op.drop_column("source")
        batch_op.drop_column("agency_id")
        batch_op.drop_column("contributor_id")

    op.drop_table("views_answer")
    with op.batch_alter_table("views_page", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_views_page_issue_id"))

    op.drop_table("views_page")
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_extension_issue_id_state"))
        batch_op.drop_index(batch_op.f("ix_extension_contributor_id"))
        batch_op.drop_index(batch_op.f("ix_extension_contribution_id"))

    op.drop_table("extension")
    with op.batch_alter_table("contribution_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contribution_revision_contribution_id"))

    op.drop_table("contribution_revision")
    with op.batch_alter_table("address_proof", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_proof_address_key_created_at"))

    op.drop_table("address_proof")
    with op.batch_alter_table("contributor_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contributor_session_ends_at"))
        batch_op.drop_index(batch_op.f("ix_contributor_session_contributor_id"))

    op.drop_table("contributor_session")
    op.drop_table("agency_answer")
    with op.batch_alter_table("contributor", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contributor_agency_id"))

    op.drop_table("contributor")
    op.drop_table("chase")
    op.drop_table("cadence_rule")
    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agency_list_id"))

    op.drop_table("agency")
