"""Jobs that are tried again, and chunks that can be indexed again from the catalogue alone"""

import json
from collections.abc import Iterator
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("jobs", sa.Column("retry_at", sa.Float()))
    op.add_column(
        "chunks", sa.Column("context", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
    _recover_contexts(op.get_bind())


def _recover_contexts(connection: sa.Connection) -> None:
    """What stood before each chunk when it was embedded: the one that has its hash."""
    rows = connection.execute(
        sa.text(
            "SELECT c.id, c.heading, c.text_hash, v.title,"
            ' substr(v.text, c.start + 1, c."end" - c.start) AS span FROM chunks c'
            " JOIN versions v ON v.document_id = c.document_id AND v.version = c.version"
        )
    ).all()
    for row in rows:
        path = json.loads(row.heading) if isinstance(row.heading, str) else row.heading
        for context in _contexts(row.title, path):
            if sha256((context + row.span).encode()).hexdigest() == row.text_hash:
                connection.execute(
                    sa.text("UPDATE chunks SET context = :context WHERE id = :id"),
                    {"context": context, "id": row.id},
                )
                break


def _contexts(title: str, path: list[str]) -> Iterator[str]:
    """As the chunker made them at the time: the outer headings went where they were too long."""
    above = path if not title or title in path[:1] else [title, *path]
    while above:
        yield " > ".join(above) + "\n"
        above = above[:1] + above[2:] if len(above) > 2 else above[1:]


def downgrade() -> None:
    op.drop_column("chunks", "context")
    op.drop_column("jobs", "retry_at")
    op.drop_column("jobs", "attempts")
