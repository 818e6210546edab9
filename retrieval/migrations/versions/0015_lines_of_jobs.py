"""What each job comes right behind: the first of each document are found by an index"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("behind", sa.String()))
    unfinished = sa.text("state IN ('queued', 'parsing', 'chunking', 'embedding', 'writing')")
    op.execute(
        "UPDATE jobs SET behind = line.behind FROM (SELECT id, coalesce(lag(id) OVER"
        " (PARTITION BY kb_id, document_id ORDER BY created_at, id), kb_id) AS behind FROM jobs"
        " WHERE state IN ('queued', 'parsing', 'chunking', 'embedding', 'writing')) AS line"
        " WHERE line.id = jobs.id"
    )
    op.create_index(
        "ix_jobs_of_document",
        "jobs",
        ["kb_id", "document_id"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    is_behind = sa.text("behind IS NOT NULL")
    op.create_index(
        "ix_jobs_behind",
        "jobs",
        ["behind", "created_at"],
        sqlite_where=is_behind,
        postgresql_where=is_behind,
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_behind", "jobs")
    op.drop_index("ix_jobs_of_document", "jobs")
    op.drop_column("jobs", "behind")
