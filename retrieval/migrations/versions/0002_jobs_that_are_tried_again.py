"""Jobs that are tried again"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("jobs", sa.Column("retry_at", sa.Float()))


def downgrade() -> None:
    op.drop_column("jobs", "retry_at")
    op.drop_column("jobs", "attempts")
