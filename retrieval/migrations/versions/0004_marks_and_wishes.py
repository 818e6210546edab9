"""Marks that the catalogue shares with its stores; what was asked of a generation"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("generations", sa.Column("wish", sa.JSON()))
    op.create_table(
        "marks",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_marks"),
    )


def downgrade() -> None:
    op.drop_table("marks")
    op.drop_column("generations", "wish")
