import pytest

from ingest.errors import (
    Cancelled,
    DamagedDocument,
    EmptyDocument,
    EncryptedDocument,
    ParserStopped,
    TooLarge,
    UnsupportedMedia,
)
from ingest.types import Stage
from retrieval.errors import EmbeddingFailed, KnowledgeBaseNotFound, StoreUnavailable
from retrieval.indexing import Published
from retrieval.search import Query
from tests.ingest.workshop import Workshop, note


@pytest.mark.parametrize(
    "kind",
    [
        TooLarge,
        UnsupportedMedia,
        EncryptedDocument,
        DamagedDocument,
        EmptyDocument,
        ParserStopped,
        RuntimeError,
    ],
)
def test_what_the_parser_raises_leaves_the_old_version_live(
    shop: Workshop, kind: type[Exception]
) -> None:
    shop.ingest(note("a", "Zebra."))
    shop.parser.error = kind("refused")
    with pytest.raises(kind, match="refused"):
        shop.ingest(note("a", "Lion."))
    assert (shop.found("zebra"), shop.found("lion")) == (["a"], [])


@pytest.mark.parametrize("at", [Stage.PARSING, Stage.CHUNKING, Stage.EMBEDDING, Stage.WRITING])
def test_a_cancelled_source_leaves_nothing_and_can_be_sent_again(shop: Workshop, at: Stage) -> None:
    def stop(stage: Stage, done: int, total: int) -> None:
        if stage is at and done == total:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        shop.pipeline().ingest(shop.kb, note("a", "Zebra."), stop)
    assert shop.found("zebra") == []
    assert shop.engine.documents.list(shop.kb, 10) == []
    assert shop.ingest(note("a", "Zebra.")).outcome is Published.ADDED
    assert shop.found("zebra") == ["a"]


def test_a_source_can_be_cancelled_while_it_is_cut(shop: Workshop) -> None:
    told: list[Stage] = []

    def stop(stage: Stage, _done: int, _total: int) -> None:
        told.append(stage)
        if told.count(Stage.CHUNKING) == 3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        shop.pipeline().ingest(shop.kb, note("a", "Zebra. " * 1_000), stop)
    assert Stage.EMBEDDING not in told


def test_a_text_that_the_model_fails_on_is_not_published(shop: Workshop) -> None:
    with pytest.raises(EmbeddingFailed, match="poison"):
        shop.ingest(note("a", "This is poison."))
    assert shop.engine.documents.count(shop.kb) == 0


def test_a_store_that_fails_publishes_nothing(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("no room")

    store = shop.engine.stores.lexical(shop.kb.generation.id)
    with monkeypatch.context() as patch:
        patch.setattr(store, "upsert", fail)
        with pytest.raises(StoreUnavailable):
            shop.ingest(note("a", "Zebra."))
    hits = shop.engine.searcher.search(shop.kb, Query("Zebra."))
    assert hits.hits == ()
    assert shop.ingest(note("a", "Zebra.")).outcome is Published.ADDED
    assert shop.found("zebra") == ["a"]


def test_a_knowledge_base_that_is_deleted_meanwhile(shop: Workshop) -> None:
    def delete(stage: Stage, _done: int, _total: int) -> None:
        if stage is Stage.CHUNKING:
            shop.engine.indexer.remove_knowledge_base(shop.kb)

    with pytest.raises(KnowledgeBaseNotFound, match="docs"):
        shop.pipeline().ingest(shop.kb, note("a", "Zebra."), delete)
