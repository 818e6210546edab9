"""The canonical text of a version, kept in stretches of so many characters.

A span is read without what stands before it: in either database that of one text, however it is
stored, takes the longer to reach, the further back it is.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, ScalarSelect, case, func, select

from retrieval.schema import chunks, stretches

LENGTH = 16_384  # characters


def stretch_rows(document_id: str, version: str, text: str) -> Iterator[dict[str, Any]]:
    """The stretches of a text, as they are kept."""
    for number, start in enumerate(range(0, len(text), LENGTH)):
        stretch = text[start : start + LENGTH]
        yield {"document_id": document_id, "version": version, "number": number, "text": stretch}


def whole_text(connection: Connection, document_id: str, version: str) -> str:
    """The text of a version; empty if there is none."""
    query = (
        select(stretches.c.text)
        .where(stretches.c.document_id == document_id, stretches.c.version == version)
        .order_by(stretches.c.number)
    )
    return "".join(connection.scalars(query))


def _text_of_chunk() -> ScalarSelect[str]:
    before = stretches.c.number * LENGTH  # characters of the text
    first = case((chunks.c.start > before, chunks.c.start - before), else_=0)
    # substr counts code points, as every offset here does.
    piece = func.substr(stretches.c.text, first + 1, chunks.c.end - before - first)
    pieces = (
        select(piece.label("text"))
        .where(
            stretches.c.document_id == chunks.c.document_id,
            stretches.c.version == chunks.c.version,
            stretches.c.number.between(chunks.c.start // LENGTH, (chunks.c.end - 1) // LENGTH),
        )
        .order_by(stretches.c.number)
        .correlate(chunks)
        .subquery()
    )
    return select(func.aggregate_strings(pieces.c.text, "")).scalar_subquery()


TEXT_OF_CHUNK = _text_of_chunk()
"""In SQL, the text of a chunk."""
