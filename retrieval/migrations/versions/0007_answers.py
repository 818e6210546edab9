"""Answers as they were given, with what decided them, and the documents that they hold text of"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kb_id", sa.String(), nullable=False),
        sa.Column("continues", sa.Boolean(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_answers_kb_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_answers_kb_id", "answers", ["kb_id"])
    op.create_table(
        "answer_documents",
        sa.Column("answer_id", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("answer_id", "document_id", name="pk_answer_documents"),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name="fk_answer_documents_answer_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name="fk_answer_documents_document_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_answer_documents_document_id", "answer_documents", ["document_id"])


def downgrade() -> None:
    op.drop_table("answer_documents")
    op.drop_table("answers")
