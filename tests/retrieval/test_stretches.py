"""Texts that are kept in several stretches."""

import pytest
from sqlalchemy import func, select, update

from retrieval.chunks import Chunks
from retrieval.consistency import some
from retrieval.inspection import Inspection
from retrieval.schema import chunks, stretches
from retrieval.stretches import LENGTH
from tests.retrieval.library import Library

# No two stretches of it are alike, and its characters take one to four bytes.
TEXT = "\n\n".join(f"Zebra {n} 斑马𠮷 é́ {'x' * (n % 50)}." for n in range(1_200))[: 3 * LENGTH + 7]
ENDS = (0, 1, LENGTH - 1, LENGTH, LENGTH + 1, 2 * LENGTH, 3 * LENGTH - 1, 3 * LENGTH, len(TEXT))
SPANS = [(start, end) for start in ENDS for end in ENDS if start < end]


@pytest.fixture
def document(library: Library) -> str:
    return library.add("a", TEXT).document_id


def test_a_text_comes_back_whole(library: Library, document: str) -> None:
    assert library.engine.documents.get(library.kb, document).text == TEXT
    assert library.engine.documents.summary(library.kb, document).characters == len(TEXT)
    with library.engine.database.read() as connection:
        lengths = select(func.length(stretches.c.text)).order_by(stretches.c.number)
        assert [*connection.scalars(lengths)] == [LENGTH, LENGTH, LENGTH, 7]


def test_a_chunk_is_its_span_wherever_stretches_end(library: Library, document: str) -> None:
    read = Chunks(library.engine.database)
    ids = read.sample(library.kb, len(SPANS))
    assert len(ids) == len(SPANS)
    with library.engine.database.write() as connection:
        for id_, (start, end) in zip(ids, SPANS, strict=True):
            span = {chunks.c.start: start, chunks.c.end: end}
            connection.execute(update(chunks).where(chunks.c.id == id_).values(span))
    found = read.passages(library.kb, ids)
    for id_, (start, end) in zip(ids, SPANS, strict=True):
        assert found[id_].text == TEXT[start:end], (start, end)


def test_some_chunks_are_any_with_their_texts(library: Library, document: str) -> None:
    database = library.engine.database
    rows = some(database, library.kb, 20)
    passages = Chunks(database).passages(library.kb, [row.id for row in rows])
    assert len(passages) == 20
    assert {row.id: row.text for row in rows} == {id_: p.text for id_, p in passages.items()}
    assert {row.id for row in some(database, library.kb, 20)} != {row.id for row in rows}


def test_what_is_replaced_or_deleted_leaves_no_stretch(library: Library, document: str) -> None:
    engine, count = library.engine, select(func.count()).select_from(stretches)
    inspection = Inspection(engine.database, engine.stores, engine.blobs)
    assert [finding for finding in inspection.inspect(repair=False) if not finding.ok] == []
    library.indexer.remove(library.kb, document)
    with engine.database.read() as connection:
        assert connection.scalar(count) == 0
