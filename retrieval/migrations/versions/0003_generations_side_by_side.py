"""Generations side by side: one is live, others are built or kept"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("knowledge_bases", sa.Column("generation_id", sa.String()))
    op.execute(
        "UPDATE knowledge_bases SET generation_id ="
        " (SELECT id FROM generations WHERE generations.kb_id = knowledge_bases.id)"
    )
    with op.batch_alter_table("generations") as generations:
        generations.drop_constraint("uq_generations_kb_id", type_="unique")
        generations.add_column(
            sa.Column("created_at", sa.Float(), nullable=False, server_default=sa.text("0"))
        )
        generations.add_column(
            sa.Column("state", sa.String(), nullable=False, server_default=sa.text("'ready'"))
        )
    op.create_index("ix_generations_kb_id", "generations", ["kb_id"])
    op.create_index("ix_chunks_generation_id", "chunks", ["generation_id"])


def downgrade() -> None:
    op.execute(
        "DELETE FROM generations WHERE id NOT IN (SELECT generation_id FROM knowledge_bases)"
    )
    op.drop_index("ix_chunks_generation_id", table_name="chunks")
    op.drop_index("ix_generations_kb_id", table_name="generations")
    with op.batch_alter_table("generations") as generations:
        generations.drop_column("state")
        generations.drop_column("created_at")
        generations.create_unique_constraint("uq_generations_kb_id", ["kb_id"])
    op.drop_column("knowledge_bases", "generation_id")
