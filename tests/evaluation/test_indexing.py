from pathlib import Path

import pytest

from evaluation.beir import Entry
from evaluation.indexing import indexed
from ingest.errors import UnsupportedMedia
from retrieval.search import Query
from retrieval.types import Mode

CORPUS = (
    Entry("zebra", "The title", "Zebras are striped."),
    Entry("http://a/狮", "", "Lions are not."),
    Entry("twin of zebra", "", "Zebras are striped."),
    Entry("blank", "A title alone", " \n"),
)


def test_each_text_is_a_document_under_its_id(tmp_path: Path) -> None:
    told: list[int] = []
    with indexed(CORPUS, "hashing", told.append) as (engine, kb):
        documents = engine.documents.list(kb, 10)
        assert [(document.uri, document.title) for document in documents] == [
            ("http://a/狮", "狮"),
            ("twin of zebra", "twin of zebra"),
            ("zebra", "The title"),
        ]
        hits = engine.searcher.search(kb, Query("lion", mode=Mode.LEXICAL)).hits
        assert [hit.uri for hit in hits] == ["http://a/狮"]
        data = engine.settings.data
        assert data.exists()
    assert told == [1, 2, 3]
    assert not data.exists()


def test_a_directory_that_is_named_is_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with indexed(CORPUS, "hashing", lambda _: None, tmp_path / "kept") as (engine, kb):
            assert engine.settings.data == tmp_path / "kept"
            assert engine.documents.count(kb) == 3
    assert (tmp_path / "kept").exists()


def test_an_empty_corpus_is_an_empty_knowledge_base() -> None:
    with indexed([], "hashing", lambda _: None) as (engine, kb):
        assert engine.documents.count(kb) == 0


def test_a_text_that_cannot_be_read_ends_the_run() -> None:
    with (
        pytest.raises(UnsupportedMedia),
        indexed([Entry("a", "", "\0binary\0\x01")], "hashing", lambda _: None),
    ):
        pass
