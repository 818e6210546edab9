"""What was done in the last minute, counted for all processes that share the catalogue"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0011"
down_revision = "0010"

_LARGE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_COUNTS = sa.JSON().with_variant(ARRAY(sa.Integer()), "postgresql")


def upgrade() -> None:
    unlogged = ["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else []
    op.create_table(
        "rates",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("second", _LARGE, nullable=False),
        sa.Column("counts", _COUNTS, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rates"),
        prefixes=unlogged,
    )


def downgrade() -> None:
    op.drop_table("rates")
