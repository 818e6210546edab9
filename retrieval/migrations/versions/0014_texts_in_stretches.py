"""Texts in stretches, of which a span is read without what stands before it"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_LENGTH = 16_384  # characters

_versions = sa.table("versions", sa.column("document_id"), sa.column("version"), sa.column("text"))
_stretches = sa.table(
    "stretches",
    sa.column("document_id"),
    sa.column("version"),
    sa.column("number"),
    sa.column("text"),
)


def upgrade() -> None:
    op.create_table(
        "stretches",
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "version", "number", name="pk_stretches"),
        sa.ForeignKeyConstraint(
            ["document_id", "version"],
            ["versions.document_id", "versions.version"],
            name="fk_stretches_document_id_versions",
            ondelete="CASCADE",
        ),
    )
    connection = op.get_bind()
    _cut(connection)
    with op.batch_alter_table("versions") as versions:
        versions.drop_column("text")
        versions.add_column(
            sa.Column("characters", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
    op.execute(
        "UPDATE versions SET characters = coalesce((SELECT sum(length(stretches.text))"
        " FROM stretches WHERE stretches.document_id = versions.document_id"
        " AND stretches.version = versions.version), 0)"
    )
    if connection.dialect.name == "postgresql":
        op.execute("CLUSTER versions USING pk_versions")  # gives the room of the texts back


def _cut(connection: sa.Connection) -> None:
    length = sa.func.length(_versions.c.text)
    short = sa.select(
        _versions.c.document_id, _versions.c.version, sa.literal(0), _versions.c.text
    ).where(length.between(1, _LENGTH))
    connection.execute(_stretches.insert().from_select(list(_stretches.c.keys()), short))
    long = sa.select(_versions.c.document_id, _versions.c.version).where(length > _LENGTH)
    for key in connection.execute(long).all():
        mine = (_versions.c.document_id == key.document_id) & (_versions.c.version == key.version)
        text = connection.execute(sa.select(_versions.c.text).where(mine)).scalar_one()
        pieces = [text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH)]
        connection.execute(
            _stretches.insert(),
            [key._asdict() | {"number": n, "text": piece} for n, piece in enumerate(pieces)],
        )


def downgrade() -> None:
    with op.batch_alter_table("versions") as versions:
        versions.add_column(
            sa.Column("text", sa.Text(), nullable=False, server_default=sa.text("''"))
        )
        versions.drop_column("characters")
    connection = op.get_bind()
    keys = connection.execute(sa.select(_versions.c.document_id, _versions.c.version)).all()
    for key in keys:
        mine = (_stretches.c.document_id == key.document_id) & (_stretches.c.version == key.version)
        pieces = sa.select(_stretches.c.text).where(mine).order_by(_stretches.c.number)
        text = "".join(connection.scalars(pieces))
        this = (_versions.c.document_id == key.document_id) & (_versions.c.version == key.version)
        connection.execute(_versions.update().where(this).values(text=text))
    op.drop_table("stretches")
