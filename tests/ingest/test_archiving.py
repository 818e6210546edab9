"""A knowledge base as a file, and back."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
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
from tests.ingest.parsers.test_formats import zipped
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


Members = dict[str, bytes]


def of_other_bytes(members: Members) -> None:
    victim = next(name for name in members if name.startswith("blobs/"))
    members[victim] += b"!"


def with_a_span_outside(members: Members) -> None:
    first, _, rest = members["chunks.jsonl"].partition(b"\n")
    members["chunks.jsonl"] = (
        json.dumps({**json.loads(first), "end": 10**9}).encode() + b"\n" + rest
    )


def with_a_blob_of_another_name(members: Members) -> None:
    first, _, rest = members["documents.jsonl"].partition(b"\n")
    row = json.loads(first)
    members["blobs/../../x"] = members[f"blobs/{row['blob']}"]
    members["documents.jsonl"] = json.dumps({**row, "blob": "../../x"}).encode() + b"\n" + rest


def scaled(members: Members) -> None:
    saved = io.BytesIO()
    np.save(saved, 3 * np.load(io.BytesIO(members["vectors.npy"])))
    members["vectors.npy"] = saved.getvalue()


def cut_short(members: Members) -> None:
    saved = io.BytesIO()
    np.save(saved, np.load(io.BytesIO(members["vectors.npy"]))[:-1])
    members["vectors.npy"] = saved.getvalue()


def without_a_model(members: Members) -> None:
    members["manifest.json"] = json.dumps(
        {**json.loads(members["manifest.json"]), "model": []}
    ).encode()


@pytest.mark.parametrize(
    "forge",
    [
        of_other_bytes,
        with_a_span_outside,
        with_a_blob_of_another_name,
        scaled,
        cut_short,
        without_a_model,
    ],
)
def test_what_is_forged_with_digests_that_fit_is_refused_too(
    shop: Workshop, archive: Path, tmp_path: Path, forge: Callable[[Members], None]
) -> None:
    with zipfile.ZipFile(archive) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    forge(members)
    manifest = json.loads(members.pop("manifest.json"))
    manifest["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    forged = tmp_path / "forged.zip"
    forged.write_bytes(zipped({**members, "manifest.json": json.dumps(manifest)}))
    with pytest.raises(DamagedDocument):
        restore(shop.engine, forged, "forged", quietly)
    assert [kb.name for kb in shop.engine.knowledge_bases.all()] == ["docs"]
    assert not [path for path in tmp_path.rglob("x") if path.is_file()]


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
