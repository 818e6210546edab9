"""Generations that one process switches while another is asked."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.pipeline import Pipeline
from ingest.reindexing import Reindexing
from retrieval.engine import Engine
from retrieval.errors import KnowledgeBaseNotFound
from retrieval.search import Query
from retrieval.types import Chunking, Hit, KnowledgeBaseSettings, Mode
from tests.another_engine import whole_beside
from tests.catalogues import on_postgres
from tests.conftest import OpenEngine
from tests.ingest.workshop import CountingParser, Workshop, note

pytestmark = on_postgres

_CHUNKINGS = tuple(Chunking(tokens, 0) for tokens in (32, 64, 128))
_URIS = ("a", "b", "c")
_SWITCHES = 12


@pytest.fixture
def shop(open_test_engine: OpenEngine) -> Workshop:
    return Workshop(open_test_engine)


@pytest.fixture
def other(shop: Workshop, tmp_path: Path) -> Iterator[Engine]:
    with whole_beside(shop.engine, tmp_path / "other") as engine:
        yield engine


def text(uri: str, edition: int) -> str:
    lines = (f"Zebra {uri} of edition {edition} runs past tree number {n}." for n in range(30))
    return "\n\n".join(lines)


def editions(hits: tuple[Hit, ...]) -> dict[str, set[str]]:
    """The editions of each document of which anything was found."""
    found: dict[str, set[str]] = {}
    for hit in hits:
        found.setdefault(hit.uri, set()).add(hit.text.split("edition ")[1].split()[0])
    return found


@pytest.mark.parametrize("mode", [Mode.HYBRID, Mode.LEXICAL])
def test_who_asks_there_sees_one_generation_whole(
    shop: Workshop, other: Engine, mode: Mode
) -> None:
    shop.kb, _ = shop.engine.create("docs", KnowledgeBaseSettings(Chunking(256, 0)))
    for uri in _URIS:
        shop.ingest(note(uri, text(uri, 0)))
    over = threading.Event()
    reindexing, pipeline = Reindexing(shop.engine), Pipeline(shop.engine, CountingParser(), 10_000)

    def switch() -> None:
        for turn in range(_SWITCHES):
            kb = shop.engine.open("docs")
            target = reindexing.begin(kb, chunking=_CHUNKINGS[turn % len(_CHUNKINGS)])
            reindexing.switch(target, lambda *_: None)
            changed = note("a", text("a", turn + 1))
            pipeline.ingest(shop.engine.open("docs"), changed, lambda *_: None)

    def ask() -> int:
        asked, kb = 0, other.open("docs")
        while not over.is_set() or not asked:
            kb = kb if asked % 10 else other.open("docs")  # most were looked up long ago
            hits = other.searcher.search(kb, Query("zebra edition tree", 200, mode)).hits
            found = editions(hits)
            assert found.keys() == set(_URIS)
            assert len(found["a"]) == 1
            for uri in _URIS:
                spans = sorted((h.chunk.start, h.chunk.end) for h in hits if h.uri == uri)
                assert all(one[1] <= following[0] for one, following in pairwise(spans))
                assert sum(h.text.count("Zebra") for h in hits if h.uri == uri) == 30
            asked += 1
        return asked

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            pool.submit(switch).result()
        finally:
            over.set()
        assert sum(one.result() for one in asking) > _SWITCHES


def test_what_is_published_replaced_and_deleted_here_is_so_there(
    shop: Workshop, other: Engine
) -> None:
    def found(words: str) -> list[str]:
        kb = other.open("docs")
        return [
            hit.text
            for mode in Mode
            for hit in other.searcher.search(kb, Query(words, 5, mode, {"kind": "animal"})).hits
            if words.split()[0] in hit.text
        ]

    animal = {"kind": "animal"}
    document = shop.ingest(note("a", "Zebra here.", meta=animal)).document_id
    assert found("Zebra here") == ["Zebra here."] * 3
    other.residents.load(other.open("docs"))
    assert found("Zebra here") == ["Zebra here."] * 3
    shop.ingest(note("a", "Lion there.", meta=animal))
    assert (found("Zebra here"), found("Lion there")) == ([], ["Lion there."] * 3)
    shop.engine.indexer.describe(shop.kb, document, {"kind": "plant"})
    assert found("Lion there") == []
    shop.engine.indexer.describe(shop.kb, document, animal)
    assert found("Lion there") == ["Lion there."] * 3
    shop.engine.indexer.remove(shop.kb, document)
    assert found("Lion there") == []


def test_settings_that_are_changed_here_count_there(shop: Workshop, other: Engine) -> None:
    for number in range(5):
        shop.ingest(note(str(number), f"Zebra {number} runs."))

    def weight() -> float | None:
        weighing = other.searcher.search(other.open("docs"), Query("zebra")).weighing
        assert weighing
        return weighing.weight

    assert weight() == 0.5
    shop.engine.create("docs", KnowledgeBaseSettings(dense_weight=0.9, system_prompt="Be brief."))
    assert weight() == 0.9
    assert other.open("docs").settings.system_prompt == "Be brief."


def test_a_knowledge_base_that_is_deleted_here_is_not_searched_there(
    shop: Workshop, other: Engine
) -> None:
    shop.ingest(note("a", "Zebra here."))
    kb = other.open("docs")
    assert other.searcher.search(kb, Query("zebra")).hits
    shop.engine.indexer.remove_knowledge_base(shop.kb)
    for pinned in (False, True):
        with pytest.raises(KnowledgeBaseNotFound):
            other.searcher.search(kb, Query("zebra"), pinned=pinned)
    with pytest.raises(KnowledgeBaseNotFound):
        other.open("docs")
