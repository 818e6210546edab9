"""Invariants 1 and 2: chunks, hits and citations are spans of the document's own text."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import true

from retrieval.answering import Question
from retrieval.chunks import Chunks
from retrieval.engine import Engine
from tests.retrieval.library import Library

SENTENCES = st.sampled_from(
    [
        "The zebra has 24 stripes 🙂. ",
        "斑马有二十四条纹。",
        "シマウマは縞がある。",
        "Cafe\u0301 naïve 𠮷 ends here! ",
        "# 斑马 Zebra\n",
        "\n\n",
        "| zebra | 24 |\n",
        "- zebra, 1.5 km\n",
        "السلام عليكم zebra. ",
        "\u200bzebra\u00a0crossing. ",
        "x" * 300 + " ",
    ]
)
DOCUMENTS = st.lists(SENTENCES, min_size=1, max_size=40).map("".join).filter(str.strip)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOCUMENTS, st.sampled_from(["How many stripes has a zebra?", "斑马有几条纹？", "zebra"]))
def test_whatever_the_document_every_offset_is_true(
    engine: Engine, text: str, question: str
) -> None:
    library = Library(engine)
    made = library.add("a", text)
    document = engine.documents.get(library.kb, made.document_id)
    window = engine.embedder.identity.window

    chunks = Chunks(engine.database)
    ids = [id_ for block, _ in chunks.scan(library.kb, true()) for id_ in block]
    covered = set()
    for passage in chunks.passages(library.kb, ids).values():
        chunk = passage.chunk
        assert passage.text == document.text[chunk.start : chunk.end]
        assert chunk.tokens <= window
        covered |= set(range(chunk.start, chunk.end))
    headings = {at for h in document.headings for at in range(h.start, h.end)}
    missing = {
        at
        for at, character in enumerate(document.text)
        if not character.isspace() and at not in covered | headings and character not in "#"
    }
    assert not missing

    for hit in library.hits(question):
        assert hit.text == document.text[hit.chunk.start : hit.chunk.end]
    answer = engine.answering.ask(library.kb, Question(question))
    for citation in answer.citations:
        assert citation.quote == document.text[citation.start : citation.end]
        assert citation.version == document.version
    assert answer.abstained == (not answer.citations)
    library.indexer.close()
