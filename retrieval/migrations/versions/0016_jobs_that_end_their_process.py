"""Jobs whose bytes never came, and how often the process ended that worked on one"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("received", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column(
        "jobs", sa.Column("lapses", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )


def downgrade() -> None:
    op.drop_column("jobs", "lapses")
    op.drop_column("jobs", "received")
