"""Comments on contributions: what editors noted in the record of activity becomes comments

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from newsletter.db import UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COMMENT = sa.table(
    "comment",
    sa.column("issue_id", sa.Integer),
    sa.column("contribution_id", sa.Integer),
    sa.column("author_id", sa.Integer),
    sa.column("author_name", sa.String),
    sa.column("body", sa.Text),
    sa.column("at", UTCDateTime()),
)
_ACTIVITY = sa.table("activity", sa.column("id", sa.BigInteger), sa.column("detail", sa.JSON))
_NOTES = sa.text(
    "SELECT a.id, a.at, a.actor_id, a.actor_name, a.detail, c.id AS contribution_id, c.issue_id"
    " FROM activity a JOIN contribution c ON CAST(c.id AS VARCHAR(20)) = a.subject_id"
    " WHERE a.subject_type = 'contribution' AND a.action = 'contribution.noted' ORDER BY a.id"
).columns(at=UTCDateTime(), detail=sa.JSON())


def upgrade() -> None:
    # SQLite copies the table for its new rule: a short one, and no other leads to it.
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contribution_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_comment_contribution_id"), ["contribution_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_comment_contribution_id"), "contribution", ["contribution_id"], ["id"], ondelete="CASCADE"
        )
    _notes_become_comments()


def _notes_become_comments() -> None:
    """The words move: the record keeps that somebody noted something, as it does for every comment."""
    connection = op.get_bind()
    for note in connection.execute(_NOTES).all():
        detail = dict(note.detail)
        words = detail.pop("note", "")
        if not words:
            continue
        row = {
            "issue_id": note.issue_id,
            "contribution_id": note.contribution_id,
            "author_id": note.actor_id,
            "author_name": note.actor_name[:100],
            "body": words,
            "at": note.at,
        }
        connection.execute(sa.insert(_COMMENT).values(row))
        connection.execute(sa.update(_ACTIVITY).where(_ACTIVITY.c.id == note.id).values(detail=detail))


def downgrade() -> None:
    op.execute("DELETE FROM comment WHERE contribution_id IS NOT NULL")
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_comment_contribution_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_comment_contribution_id"))
        batch_op.drop_column("contribution_id")
