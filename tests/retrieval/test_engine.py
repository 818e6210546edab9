from pathlib import Path

import pytest

from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.precision import Backend
from retrieval.engine import load_backend, open_engine
from retrieval.errors import (
    DataDirectoryLocked,
    InvalidRequest,
    KnowledgeBaseNotFound,
    ModelMismatch,
    ModelUnavailable,
    StoreUnavailable,
)
from retrieval.search import Query
from retrieval.settings import EngineSettings
from retrieval.types import Chunking, KnowledgeBaseSettings
from tests.catalogues import engine_settings, on_sqlite
from tests.conftest import OpenEngine
from tests.retrieval.library import Library


def test_one_process_a_directory(tmp_path: Path) -> None:
    settings = engine_settings(tmp_path / "data")
    with open_engine(settings):
        with pytest.raises(DataDirectoryLocked, match="FOOTNOTE_DATA"), open_engine(settings):
            pass
        with open_engine(engine_settings(tmp_path / "other")):
            pass
    with open_engine(settings):
        pass


def test_a_directory_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = engine_settings(tmp_path / "file" / "data")
    with pytest.raises(StoreUnavailable, match="data directory"), open_engine(settings):
        pass


@on_sqlite
def test_a_damaged_catalogue_says_so_and_gives_the_directory_back(tmp_path: Path) -> None:
    (tmp_path / "catalogue.sqlite").write_bytes(b"not a database, not at all" * 100)
    settings = engine_settings(tmp_path)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"catalogue\.sqlite"), open_engine(settings):
            pass


def test_everything_is_still_there_after_a_restart(open_test_engine: OpenEngine) -> None:
    library = Library(open_test_engine())
    library.add("a", "# Zebra\n\nStriped.\n\n# 斑马\n\n有条纹。\n", {"year": 2026})
    hits, summary = library.hits("zebra 条纹"), library.engine.documents.list(library.kb, 10)
    library.indexer.close()

    again = Library(open_test_engine())
    assert again.kb == library.kb
    assert again.hits("zebra 条纹") == hits
    assert again.engine.documents.list(again.kb, 10) == summary
    again.indexer.close()


def test_another_model_is_refused_with_both_names(open_test_engine: OpenEngine) -> None:
    open_test_engine(HashingBackend(dimension=64)).create("docs")
    engine = open_test_engine(HashingBackend(dimension=128))
    for refused in (
        lambda: engine.open("docs"),
        lambda: engine.create("docs"),
        lambda: engine.create("docs", KnowledgeBaseSettings(dense_weight=0.1)),
    ):
        with pytest.raises(ModelMismatch) as caught:
            refused()
        assert "64 dimensions" in str(caught.value)
        assert "128 dimensions" in str(caught.value)
    assert engine.knowledge_bases.get("docs").settings.dense_weight is None
    assert engine.create("others")[1]


def test_creating_without_settings_keeps_those_that_are_there(open_test_engine: OpenEngine) -> None:
    engine = open_test_engine()
    own = KnowledgeBaseSettings(Chunking(64, 8), dense_weight=0.25)
    assert engine.create("docs", own)[1]
    kb, new = engine.create("docs")
    assert (kb.settings, new) == (own, False)
    assert engine.open("docs") == kb
    with pytest.raises(KnowledgeBaseNotFound, match="nobody"):
        engine.open("nobody")
    with pytest.raises(InvalidRequest):
        engine.create("Not A Name")


def test_the_settings_name_the_model(tmp_path: Path) -> None:
    assert load_backend(EngineSettings(tmp_path, "hashing")).identity.name == "hashing"
    default = EngineSettings(tmp_path, embedding_backend=Backend.TORCH)  # chosen by no trial
    assert load_backend(default).identity.name == "all-MiniLM-L6-v2"


def test_a_reranker_is_found_when_the_engine_opens(tmp_path: Path) -> None:
    missing = engine_settings(tmp_path / "data", reranker=str(tmp_path / "none"))
    with pytest.raises(ModelUnavailable, match="The reranker"), open_engine(missing):
        pass
    served = engine_settings(tmp_path / "data", reranker="http://127.0.0.1:9/rerank")
    with open_engine(served) as engine:
        kb, _ = engine.create("docs")
        assert engine.searcher.search(kb, Query("nothing is there to rerank")).hits == ()
