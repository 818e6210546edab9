"""A knowledge base as a file, and back."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from ingest.archiving import export, restore
from ingest.errors import DamagedDocument, SourceNotFound
from ingest.sources import upload
from retrieval.engine import Engine
from retrieval.errors import InvalidRequest
from retrieval.search import Query
from tests.conftest import OpenEngine
from tests.ingest.workshop import CountingBackend, Workshop, note

SAMPLES = Path(__file__).parents[2] / "sample_docs"
QUESTIONS = ("leave carry over", "退货 运费险", "zebra", "battery warranty", "雨水花园")


def quietly(_done: int) -> None:
    pass


@pytest.fixture
def shop(open_test_engine: OpenEngine) -> Workshop:
    shop = Workshop(open_test_engine)
    shop.max_bytes = 10_000_000
    for path in sorted(SAMPLES.glob("*.*"))[:6]:
        if path.suffix in (".md", ".pdf", ".html", ".txt"):
            shop.ingest(upload(path.name, path.read_bytes(), None, {"tags": ("样本", "x"), "n": 1}))
    shop.ingest(note("same", "Zebra."))
    shop.ingest(note("same too", "Zebra."), unique=False)
    return shop


@pytest.fixture
def archive(shop: Workshop, tmp_path: Path) -> Path:
    path = tmp_path / "docs.zip"
    count = export(shop.engine, shop.kb, path, quietly)
    assert count == shop.engine.documents.count(shop.kb) > 3
    return path


def answers(engine: Engine, name: str) -> list[list[tuple[float, str, int, int, str | None]]]:
    """What is found; where scores are equal in an order that doesn't depend on ids."""
    kb = engine.open(name)
    return [
        sorted(
            (-hit.score, hit.uri, hit.chunk.start, hit.chunk.end, hit.page)
            for hit in engine.searcher.search(kb, Query(text, 500)).hits
        )
        for text in QUESTIONS
    ]


def test_it_is_restored_elsewhere_without_embedding(
    shop: Workshop, archive: Path, open_test_engine: OpenEngine, tmp_path: Path
) -> None:
    before = answers(shop.engine, "docs")
    listed = shop.engine.documents.list(shop.kb, 99)
    backend = CountingBackend()
    engine = open_test_engine(backend, tmp_path / "elsewhere")
    seen: list[int] = []
    kb = restore(engine, archive, None, seen.append)
    assert backend.embedded == []
    assert seen == list(range(1, len(listed) + 1))
    assert answers(engine, "docs") == before
    for mine, theirs in zip(engine.documents.list(kb, 99), listed, strict=True):
        assert (mine.uri, mine.version, mine.metadata) == (
            theirs.uri,
            theirs.version,
            theirs.metadata,
        )
        blob, _, _ = engine.documents.original(kb, mine.id)
        assert engine.blobs.has(blob)
    again = tmp_path / "again.zip"
    export(engine, kb, again, quietly)
    for name in ("documents.jsonl", "chunks.jsonl", "vectors.npy", "hashes.txt"):
        assert zipfile.ZipFile(again).read(name) == zipfile.ZipFile(archive).read(name)


def test_it_can_be_restored_under_another_name_beside_the_first(
    shop: Workshop, archive: Path
) -> None:
    restore(shop.engine, archive, "copy", quietly)
    assert answers(shop.engine, "copy") == answers(shop.engine, "docs")
    with pytest.raises(InvalidRequest, match="there already"):
        restore(shop.engine, archive, None, quietly)


def test_what_was_changed_is_refused_and_nothing_is_left(
    shop: Workshop, archive: Path, tmp_path: Path
) -> None:
    for victim in ("documents.jsonl", "vectors.npy", "blobs/"):
        forged = tmp_path / "forged.zip"
        with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(forged, "w") as out:
            for name in whole.namelist():
                data = whole.read(name)
                out.writestr(name, data[:-1] + b"!" if name.startswith(victim) else data)
        with pytest.raises(DamagedDocument, match="isn't what was exported"):
            restore(shop.engine, forged, "forged", quietly)
    forged.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(DamagedDocument, match="whole archive"):
        restore(shop.engine, forged, "forged", quietly)
    with pytest.raises(SourceNotFound):
        restore(shop.engine, tmp_path / "nothing.zip", "forged", quietly)
    assert [kb.name for kb in shop.engine.knowledge_bases.all()] == ["docs"]


def test_a_file_that_is_there_is_not_overwritten(shop: Workshop, archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(InvalidRequest, match="there already"):
        export(shop.engine, shop.kb, archive, quietly)
    assert archive.read_bytes() == before


def test_an_empty_one_survives_too(open_test_engine: OpenEngine, tmp_path: Path) -> None:
    engine = open_test_engine()
    kb, _ = engine.create("none")
    assert export(engine, kb, tmp_path / "none.zip", quietly) == 0
    restored = restore(engine, tmp_path / "none.zip", "none-2", quietly)
    assert engine.knowledge_bases.counts(restored) == (0, 0)
    with zipfile.ZipFile(tmp_path / "none.zip") as archive, archive.open("vectors.npy") as file:
        assert np.load(file).shape == (0, 0)
