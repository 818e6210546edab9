"""Who works on a job, where several processes do, and until when; which knowledge base is next"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_LARGE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    turn = sa.Column("turn", _LARGE, nullable=False, server_default=sa.text("0"))
    op.add_column("knowledge_bases", turn)
    op.add_column("jobs", sa.Column("lease", sa.String()))
    op.add_column("jobs", sa.Column("lease_until", sa.Float()))
    op.create_index("ix_jobs_lease_until", "jobs", ["lease_until"])
    unfinished = sa.text("state IN ('queued', 'parsing', 'chunking', 'embedding', 'writing')")
    op.create_index(
        "ix_jobs_unfinished",
        "jobs",
        ["kb_id", "created_at"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_unfinished", "jobs")
    op.drop_index("ix_jobs_lease_until", "jobs")
    op.drop_column("jobs", "lease_until")
    op.drop_column("jobs", "lease")
    op.drop_column("knowledge_bases", "turn")
