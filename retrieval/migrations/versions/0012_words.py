"""Words beside the catalogue, where processes share it"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return  # whose words lie in files
    op.create_table(
        "word_stores",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("analyser", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_word_stores"),
    )
    op.create_table(
        "word_segments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("store", sa.String(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_word_segments"),
        sa.ForeignKeyConstraint(
            ["store"],
            ["word_stores.name"],
            name="fk_word_segments_store_word_stores",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_word_segments_store", "word_segments", ["store"])
    op.create_table(
        "word_pages",
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("postings", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("segment", "number", name="pk_word_pages"),
        sa.ForeignKeyConstraint(
            ["segment"],
            ["word_segments.id"],
            name="fk_word_pages_segment_word_segments",
            ondelete="CASCADE",
        ),
    )
    # A merge leaves thousands of pages, which others are to be written over soon.
    op.execute("ALTER TABLE word_pages SET (autovacuum_vacuum_scale_factor = 0.02)")
    # They are numbers of few bits: trying to compress them costs more than it saves.
    op.execute("ALTER TABLE word_pages ALTER COLUMN postings SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE word_segments ALTER COLUMN entries SET STORAGE EXTERNAL")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("word_pages", "word_segments", "word_stores"):
            op.drop_table(table)
