"""Stores that were deleted, damaged, or left behind by a crash, and an engine that opens them."""

import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, update

from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits, Source
from retrieval.consistency import samples
from retrieval.engine import Engine, open_engine
from retrieval.errors import NotFound, StoreUnavailable
from retrieval.inspection import Inspection
from retrieval.ports import Posting
from retrieval.schema import word_stores
from retrieval.search import Query
from retrieval.stores import probe
from retrieval.stores.chroma import ChromaVectorStore
from retrieval.stores.postgres_words import PostgresLexicalStores
from retrieval.stores.tantivy_index import TantivyLexicalStore
from tests.catalogues import (
    catalogue_in,
    copy_catalogue,
    engine_settings,
    on_postgres,
    on_sqlite,
)
from tests.conftest import OpenEngine
from tests.ingest.workshop import CountingBackend
from tests.retrieval.library import SOON, Library
from tests.shared_stores import embedded_vectors

DOCUMENTS = 120
QUESTIONS = [f"word{n} of subject {n % 7}" for n in range(0, DOCUMENTS, 5)]

Answers = list[list[tuple[str, float]]]
Harm = Callable[[Path], object]


def fill(engine: Engine) -> None:
    kb, _ = engine.create("docs")
    pipeline = Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000)
    for n in range(DOCUMENTS):
        text = f"# Part {n}\n\nHere is word{n}, of subject {n % 7}. 第{n}条。"
        pipeline.ingest(kb, Source(f"doc/{n}", f"{n}.md", text.encode()), lambda *_: None)


def answers(engine: Engine) -> Answers:
    kb = engine.open("docs")
    return [
        [(hit.chunk.id, hit.score) for hit in engine.searcher.search(kb, Query(text)).hits]
        for text in QUESTIONS
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answers]:
    """A data directory that was closed, and what it answers."""
    data = tmp_path_factory.mktemp("whole") / "data"
    settings = engine_settings(data)
    with open_engine(settings) as engine:
        fill(engine)
        found = answers(engine)
    return data, found


@pytest.fixture
def before(whole: tuple[Path, Answers], tmp_path: Path) -> Answers:
    """What the directory in `tmp_path` answers, before anything has been done to it."""
    shutil.copytree(whole[0], tmp_path / "data")
    copy_catalogue(whole[0], tmp_path / "data")
    return whole[1]


def noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(7).bytes(path.stat().st_size))


def noise_in(pattern: str) -> Harm:
    def harm(data: Path) -> None:
        paths = [path for path in data.glob(pattern) if path.is_file()]
        assert paths
        for path in paths:
            noise(path)

    return harm


def delete_both(data: Path) -> None:
    shutil.rmtree(data / "lexical")
    shutil.rmtree(data / "chroma")


def by_another_analyser(data: Path) -> None:
    database = catalogue_in(data)
    with database.beside() as connection:
        connection.execute(update(word_stores).values(analyser=0))
    database.close()


def without_words(data: Path) -> None:
    database = catalogue_in(data)
    with database.beside() as connection:
        connection.execute(delete(word_stores))
    database.close()


HARMS: dict[str, Harm] = {
    "chroma deleted": lambda data: shutil.rmtree(data / "chroma"),
    "chroma's database is noise": noise_in("chroma/chroma.sqlite3"),
    "all of chroma is noise": noise_in("chroma/**/*"),
    "the seal is noise": noise_in("stores.json"),
}
FILES: dict[str, Harm] = {
    "lexical deleted": lambda data: shutil.rmtree(data / "lexical"),
    "lexical and chroma deleted": delete_both,
    "all of the lexical index is noise": noise_in("lexical/**/*"),
    "some postings are noise": noise_in("lexical/*/*.idx"),
    "the lexical index has lost its list": noise_in("lexical/*/meta.json"),
}
TABLES: dict[str, Harm] = {
    "words deleted": without_words,
    "words by another analyser": by_another_analyser,
}


def _marks(name: str) -> list[pytest.MarkDecorator]:
    return [embedded_vectors] if "chroma" in name else []


@pytest.mark.parametrize(
    "harm",
    [
        *(pytest.param(harm, id=name, marks=_marks(name)) for name, harm in HARMS.items()),
        *(
            pytest.param(harm, id=name, marks=[on_sqlite, *_marks(name)])
            for name, harm in FILES.items()
        ),
        *(pytest.param(harm, id=name, marks=on_postgres) for name, harm in TABLES.items()),
    ],
)
def test_what_is_lost_is_made_anew_without_embedding(
    before: Answers, harm: Harm, open_test_engine: OpenEngine, tmp_path: Path
) -> None:
    harm(tmp_path / "data")
    backend = CountingBackend()
    engine = open_test_engine(backend)
    assert backend.embedded == []
    assert answers(engine) == before


@embedded_vectors
def test_whole_files_are_trusted_and_others_looked_at(
    before: Answers,
    open_test_engine: OpenEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probed: list[Path] = []
    monkeypatch.setattr(probe, "damage", lambda directory, _: probed.append(directory))
    open_test_engine()
    assert probed == []
    [database] = (tmp_path / "data" / "chroma").glob("chroma.sqlite3")
    open_test_engine(data=tmp_path / "another")
    os.utime(database, ns=(1, 1))
    open_test_engine()
    assert probed == [database.parent]


def test_a_catalogue_from_a_backup_does_not_fit_stores_that_went_on(
    before: Answers, open_test_engine: OpenEngine, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    copy_catalogue(data, tmp_path / "backup")
    with open_engine(engine_settings(data)) as engine:
        kb = engine.open("docs")
        for listed in engine.documents.list(kb, DOCUMENTS // 2):
            engine.indexer.remove(kb, listed.id)
        Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000).ingest(
            kb, Source("new", "new.md", b"A new one."), lambda *_: None
        )
    copy_catalogue(tmp_path / "backup", data)
    backend = CountingBackend()
    engine = open_test_engine(backend)
    assert backend.embedded == []
    assert [found[0][0] for found in answers(engine)] == [found[0][0] for found in before]


@embedded_vectors
def test_texts_that_are_alike_are_no_damage(open_test_engine: OpenEngine, tmp_path: Path) -> None:
    with open_engine(engine_settings(tmp_path / "data")) as engine:
        kb, _ = engine.create("docs")
        pipeline = Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000)
        for n in range(300):
            text = f"The same words in each of them, and {n % 3}.".encode()
            pipeline.ingest(kb, Source(f"{n}", f"{n}.md", text), lambda *_: None, unique=False)
        found = samples(engine.database, 20)
        checked = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
    assert [finding for finding in checked if not finding.ok] == []
    assert probe.damage(tmp_path / "data" / "chroma", found) is None


@embedded_vectors
def test_vectors_that_are_not_those_that_were_written_are_damage(
    before: Answers, tmp_path: Path
) -> None:
    with open_engine(engine_settings(tmp_path / "data")) as engine:
        right = samples(engine.database, 20)
    [(name, some)] = right.items()
    swapped = dict(zip(some, reversed(some.values()), strict=True))
    assert probe.damage(tmp_path / "data" / "chroma", right) is None
    assert "aren't what was written" in str(
        probe.damage(tmp_path / "data" / "chroma", {name: swapped})
    )
    absent = {f"absent-{id_}": vector for id_, vector in some.items()}
    assert probe.damage(tmp_path / "data" / "chroma", {name: absent}) is None


@embedded_vectors
def test_without_mending_damage_is_told_and_left(before: Answers, tmp_path: Path) -> None:
    database = tmp_path / "data" / "chroma" / "chroma.sqlite3"
    noise(database)
    damaged = database.read_bytes()
    settings = engine_settings(tmp_path / "data")
    with (
        pytest.raises(StoreUnavailable, match=r"damaged.*footnote doctor --repair"),
        open_engine(settings, mend=False),
    ):
        pass
    assert database.read_bytes() == damaged


def test_a_probe_that_dies_or_never_ends_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "python").write_text("#!/bin/sh\nkill -SEGV $$\n")
    (tmp_path / "python").chmod(0o755)
    assert probe.damage(tmp_path, {}) == "reading it ends the process with signal 11"
    monkeypatch.setattr(probe, "_SECONDS", 0.1)
    (tmp_path / "python").write_text("#!/bin/sh\nexec sleep 60\n")
    assert "longer than 0 s" in str(probe.damage(tmp_path, {}))


@on_postgres
def test_a_start_that_fails_leaves_the_words_to_other_processes(
    before: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(store: ChromaVectorStore) -> set[str]:
        raise StoreUnavailable("no connection")

    data = tmp_path / "data"
    monkeypatch.setattr(ChromaVectorStore, "ids", unreachable)
    with pytest.raises(StoreUnavailable, match="no connection"), open_engine(engine_settings(data)):
        pass
    stores = PostgresLexicalStores(catalogue_in(data))
    [name] = stores.names()
    assert stores.open(name).count() == DOCUMENTS


@on_sqlite
def test_a_lexical_index_that_cannot_be_written_is_made_anew(
    before: Answers, open_test_engine: OpenEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_engine(engine_settings(tmp_path / "data")) as engine:
        engine.stores.doubt()
        kb = engine.open("docs")
        engine.stores.lexical(kb.generation.id).upsert([Posting("stray", "d", "of nobody")])
    real = TantivyLexicalStore.delete
    failed: list[int] = []

    def failing(store: TantivyLexicalStore, ids: Sequence[str]) -> None:
        if not failed:
            failed.append(len(ids))
            raise StoreUnavailable("FileAlreadyExists")
        real(store, ids)

    monkeypatch.setattr(TantivyLexicalStore, "delete", failing)
    backend = CountingBackend()
    engine = open_test_engine(backend)
    assert failed == [1]
    assert backend.embedded == []
    assert answers(engine) == before


@embedded_vectors
def test_what_was_deleted_leaves_no_row_in_the_log_of_chroma(
    before: Answers, tmp_path: Path
) -> None:
    settings = engine_settings(tmp_path / "data")
    with open_engine(settings) as engine:
        kb = engine.open("docs")
        gone, kept = engine.documents.list(kb, 2)
        engine.indexer.remove(kb, gone.id)
        other, _ = engine.create("other")
        engine.stores.vectors(other.generation.id).upsert(
            ["x1"], np.eye(1, 512, dtype=np.float32), ["alone"]
        )
        engine.indexer.remove_knowledge_base(other)
    with closing(sqlite3.connect(tmp_path / "data" / "chroma" / "chroma.sqlite3")) as connection:
        named = [*connection.execute("SELECT metadata FROM embeddings_queue WHERE operation <> 3")]
    log = " ".join(str(row) for row in named)
    assert kept.id in log
    assert gone.id not in log
    assert "alone" not in log
    with open_engine(settings) as engine:
        kb = engine.open("docs")
        assert engine.stores.vectors(kb.generation.id).count() == DOCUMENTS - 1


def test_a_search_does_not_make_anew_what_is_deleted_meanwhile(
    before: Answers, open_test_engine: OpenEngine
) -> None:
    engine = open_test_engine()
    kb = engine.open("docs")
    engine.indexer.remove_knowledge_base(kb)
    for opened in (engine.stores.vectors, engine.stores.lexical):
        with pytest.raises(NotFound, match="deleted meanwhile"):
            opened(kb.generation.id)
    assert engine.stores.generations() == set()


@pytest.mark.parametrize(
    ("stores", "call"), [("_vectors", "open"), ("_vectors", "drop"), ("_lexical", "drop")]
)
def test_a_store_that_hangs_keeps_nobody_waiting_who_needs_another(
    library: Library, monkeypatch: pytest.MonkeyPatch, stores: str, call: str
) -> None:
    engine = library.engine
    library.add("tea", "Tea is at four.")
    slow, fresh = (engine.create(name)[0].generation.id for name in ("slow", "fresh"))
    begun, go_on = threading.Event(), threading.Event()
    adapter = getattr(engine.stores, stores)
    real = getattr(adapter, call)

    def hanging(name: str, *more: object) -> object:
        if name == slow:
            begun.set()
            assert go_on.wait(SOON)
        return real(name, *more)

    monkeypatch.setattr(adapter, call, hanging)
    with ThreadPoolExecutor(2) as pool:
        hangs = pool.submit(engine.stores.vectors if call == "open" else engine.stores.drop, slow)
        assert begun.wait(SOON)
        try:
            assert pool.submit(library.texts, "tea").result(SOON).keys() == {"tea"}
            assert pool.submit(engine.stores.lexical, fresh).result(SOON).count() == 0
            assert pool.submit(engine.stores.vectors, fresh).result(SOON).count() == 0
            assert not hangs.done()
        finally:
            go_on.set()
