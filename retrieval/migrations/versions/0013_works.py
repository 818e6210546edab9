"""Long work that one process does at a time, and the last evaluation of each knowledge base"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "works",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kb_id", sa.String()),
        sa.Column("standing", sa.JSON(none_as_null=True)),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("lease", sa.String()),
        sa.Column("lease_until", sa.Float()),
        sa.PrimaryKeyConstraint("name", name="pk_works"),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_works_kb_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_works_kb_id", "works", ["kb_id"])
    op.create_table(
        "evaluations",
        sa.Column("kb_id", sa.String(), nullable=False),
        sa.Column("evaluation", sa.JSON(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("kb_id", name="pk_evaluations"),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_evaluations_kb_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("evaluations")
    op.drop_index("ix_works_kb_id", "works")
    op.drop_table("works")
