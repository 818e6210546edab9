from itertools import accumulate

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import true

from retrieval.chunks import Chunks
from retrieval.engine import Engine
from retrieval.schema import documents
from tests.retrieval.library import Library, PagedParser

SECTIONS = st.lists(
    st.sampled_from(["Zebra 🙂.", "斑马𠮷。", "é́ x.", "A\u200db."]), min_size=1, max_size=5
)


def sections(words: list[str]) -> str:
    return "\n\n".join(f"# {n}\n\n{word}" for n, word in enumerate(words))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SECTIONS)
def test_a_passage_is_its_span_of_the_text(library: Library, words: list[str]) -> None:
    made = library.add("a", sections(words))
    chunks = Chunks(library.engine.database)
    document = library.engine.documents.get(library.kb, made.document_id)
    ids = [hit.chunk.id for hit in library.hits("zebra 斑马")]
    everything = {id_ for block, _ in chunks.scan(library.kb, true()) for id_ in block}
    assert set(ids) <= everything
    passages = chunks.passages(library.kb, sorted(everything))
    assert len(passages) == len(words)
    for passage in passages.values():
        assert passage.text == document.text[passage.chunk.start : passage.chunk.end]
        assert (passage.uri, passage.chunk.version) == ("a", made.version)


def test_a_passage_names_the_page_it_begins_on(engine: Engine) -> None:
    library = Library(engine, parser=PagedParser())
    pages = ["𠮷" * 200 + "。\n\n", "斑马🙂" * 80 + "。\n\n", "Zebra. " * 150]
    library.add("a", "\f".join(pages))
    chunks = Chunks(engine.database)
    ids = [id_ for block, _ in chunks.scan(library.kb, true()) for id_ in block]
    passages = chunks.passages(library.kb, ids).values()
    ends = list(accumulate(map(len, pages)))
    for passage in passages:
        begins_on = sum(end <= passage.chunk.start for end in ends)
        assert passage.page == ("i", "ii", "iii")[begins_on]
    assert {passage.page for passage in passages} == {"i", "ii", "iii"}
    library.indexer.close()


def test_only_what_is_live_is_there(library: Library) -> None:
    chunks = Chunks(library.engine.database)
    library.add("a", sections(["One.", "Two."]))
    old = [id_ for block, _ in chunks.scan(library.kb, true()) for id_ in block]
    library.add("a", sections(["Three."]))
    other = library.engine.create("other")[0]
    [new] = [id_ for block, _ in chunks.scan(library.kb, true()) for id_ in block]
    assert list(chunks.passages(library.kb, [*old, new, "nobody"])) == [new]
    assert chunks.vectors(library.kb, [*old, new])[0] == [new]
    assert chunks.passages(other, [new]) == {}
    assert chunks.vectors(other, [new])[1].shape == (0, 256)
    assert chunks.count(library.kb, true()) == 1
    assert chunks.count(other, true()) == 0


def test_more_ids_than_one_statement_takes(library: Library) -> None:
    library.add("a", sections(["Zebra."]))
    chunks = Chunks(library.engine.database)
    [known] = [id_ for block, _ in chunks.scan(library.kb, true()) for id_ in block]
    ids = [f"unknown-{n}" for n in range(1_200)] + [known]
    assert list(chunks.passages(library.kb, ids)) == [known]
    found, vectors = chunks.vectors(library.kb, ids)
    assert found == [known]
    assert np.isclose(np.linalg.norm(vectors[0]), 1.0)


def test_a_condition_restricts_counts_and_scans(library: Library) -> None:
    for uri, words in (("a", ["One.", "Two."]), ("b", ["Three."])):
        library.add(uri, sections(words))
    chunks = Chunks(library.engine.database)
    only = documents.c.uri == "a"
    assert chunks.count(library.kb, only) == 2
    assert sum(len(block) for block, _ in chunks.scan(library.kb, only)) == 2
    [id_] = chunks.document_ids(library.kb, only)
    assert library.engine.documents.get(library.kb, id_).uri == "a"
