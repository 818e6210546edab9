"""What is measured of a generation without anybody's judgements, to fuse its legs by"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "calibrations",
        sa.Column("generation_id", sa.String(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("mean", sa.LargeBinary(), nullable=False),
        sa.Column("covariance", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("generation_id", name="pk_calibrations"),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name="fk_calibrations_generation_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("calibrations")
