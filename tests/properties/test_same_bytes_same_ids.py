"""Invariant 4: the same bytes give the same ids, and ingesting them again writes nothing."""

from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ingest import sources
from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits, Source
from retrieval.engine import Engine
from retrieval.indexing import Published
from retrieval.schema import metadata
from retrieval.types import KnowledgeBase

WORDS = st.sampled_from(["# 标题\n", "Zebra. ", "退货。", "é🙂 ", "\n\n", "| a | b |\n", "1.5 %. "])
TEXTS = st.lists(WORDS, min_size=1, max_size=60).map("".join).filter(str.strip)
ONE_ENGINE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # and a knowledge base an example
LIBRARIES = st.dictionaries(
    st.sampled_from(["a.md", "b.txt", "文.md"]), TEXTS, min_size=1, max_size=2
)


def dump(engine: Engine) -> dict[str, list[str]]:
    """Every row of the catalogue, by table."""
    with engine.database.read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in metadata.sorted_tables
        }


def state(engine: Engine, kb: KnowledgeBase) -> tuple[object, ...]:
    stores, generation = engine.stores, kb.generation.id
    blobs = sorted(engine.blobs.digests())
    counts = stores.vectors(generation).count(), stores.lexical(generation).count()
    return dump(engine), counts, blobs


def ingest_all(engine: Engine, kb: KnowledgeBase, library: dict[str, str]) -> list[Published]:
    pipeline = Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000)

    def source(name: str, text: str) -> Source:
        return sources.upload(name, text.encode(), None, None)

    return [
        pipeline.ingest(kb, source(name, text), lambda *_: None, unique=False).outcome
        for name, text in library.items()
    ]


def chunk_rows(engine: Engine) -> list[str]:
    return dump(engine)["chunks"]


@settings(ONE_ENGINE, max_examples=10)
@given(library=LIBRARIES)
def test_ingesting_the_same_bytes_again_changes_nothing(
    engine: Engine, library: dict[str, str]
) -> None:
    kb, _ = engine.create(uuid4().hex)
    first = ingest_all(engine, kb, library)
    before = state(engine, kb)
    again = ingest_all(engine, kb, library)
    assert set(first) == {Published.ADDED}
    assert set(again) == {Published.UNCHANGED}
    assert state(engine, kb) == before


@settings(ONE_ENGINE, max_examples=6)
@given(library=LIBRARIES, other=TEXTS)
def test_coming_back_to_the_same_bytes_comes_back_to_the_same_ids(
    engine: Engine, library: dict[str, str], other: str
) -> None:
    kb, _ = engine.create(uuid4().hex)
    ingest_all(engine, kb, library)
    before = chunk_rows(engine)
    ingest_all(engine, kb, dict.fromkeys(library, f"Another text. {other}"))
    assert chunk_rows(engine) != before
    ingest_all(engine, kb, dict(reversed(library.items())))
    assert chunk_rows(engine) == before
