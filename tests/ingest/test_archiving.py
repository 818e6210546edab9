"""A knowledge base as a file, and back."""

import errno
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from ingest import archive_checks
from ingest.archiving import export, restore
from ingest.errors import DamagedDocument, SourceNotFound
from ingest.pipeline import identify
from ingest.sources import upload
from retrieval.embedding.cache import text_hash
from retrieval.engine import Engine, open_engine
from retrieval.errors import DataLost, InvalidRequest
from retrieval.inspection import Inspection
from retrieval.schema import chunks as chunk_table
from retrieval.schema import embeddings, knowledge_bases
from retrieval.search import Query
from retrieval.stores.chroma_settings import ChromaSettings
from retrieval.types import KnowledgeBaseSettings, Vectors
from tests.catalogues import engine_settings
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
    shop.kb, _ = shop.engine.create("docs", KnowledgeBaseSettings(description="Samples, 样本"))
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


def answers(engine: Engine, name: str) -> list[dict[tuple[str, int, int, str | None], float]]:
    """What is found for each question, and its score."""
    kb = engine.open(name)
    return [
        {
            (hit.uri, hit.chunk.start, hit.chunk.end, hit.page): hit.score
            for hit in engine.searcher.search(kb, Query(text, 500)).hits
        }
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
    assert kb.settings == shop.kb.settings
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


def test_it_moves_to_servers_and_back_without_embedding(
    shop: Workshop, archive: Path, tmp_path: Path, chroma_url: str, bucket: str
) -> None:
    name = f"test-{uuid4().hex}"
    at_servers = engine_settings(
        tmp_path / "at servers",
        chroma=ChromaSettings(chroma_url, database=name),
        blobs_url=f"{bucket}/{name}",
    )
    # Sums of the same numbers, which Postgres adds up in another order.
    before = [pytest.approx(found) for found in answers(shop.engine, "docs")]
    for settings in (
        at_servers.aside(tmp_path / "one process"),
        at_servers,
        at_servers.aside(tmp_path / "one process again"),
    ):
        backend = CountingBackend()
        with open_engine(settings, backend) as engine:
            kb = restore(engine, archive, None, quietly)
            assert backend.embedded == []
            assert answers(engine, "docs") == before
            inspected = Inspection(engine.database, engine.stores, engine.blobs)
            assert [one for one in inspected.inspect(repair=False) if not one.ok] == []
            archive = tmp_path / f"{settings.data.name}.zip"
            export(engine, kb, archive, quietly)


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


Row = dict[str, Any]
Forge = Callable[[Members], None]


def edit(name: str, change: Callable[[list[Row]], None]) -> Forge:
    """Changes the rows of a member."""

    def forge(members: Members) -> None:
        rows = [json.loads(line) for line in members[name].splitlines()]
        change(rows)
        members[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    return forge


def documents(change: Callable[[list[Row]], None]) -> Forge:
    return edit("documents.jsonl", change)


def chunks(change: Callable[[list[Row]], None]) -> Forge:
    return edit("chunks.jsonl", change)


def document(**fields: Any) -> Forge:
    """Gives the first document other values."""
    return documents(lambda rows: rows[0].update(fields))


def chunk(**fields: Any) -> Forge:
    return chunks(lambda rows: rows[0].update(fields))


def manifest(**fields: Any) -> Forge:
    return edit("manifest.json", lambda rows: rows[0].update(fields))


def settings(**fields: Any) -> Forge:
    return edit("manifest.json", lambda rows: rows[0]["settings"].update(fields))


def of_other_bytes(members: Members) -> None:
    victim = next(name for name in members if name.startswith("blobs/"))
    members[victim] += b"!"


def with_a_blob_of_another_name(members: Members) -> None:
    first, _, rest = members["documents.jsonl"].partition(b"\n")
    row = json.loads(first)
    members["blobs/../../x"] = members[f"blobs/{row['blob']}"]
    members["documents.jsonl"] = json.dumps({**row, "blob": "../../x"}).encode() + b"\n" + rest


def with_a_vector_of_another_text(members: Members) -> None:
    """As if it were that of a text that another knowledge base has."""
    mine = json.loads(members["chunks.jsonl"].partition(b"\n")[0])["text_hash"].encode()
    for name in ("chunks.jsonl", "hashes.txt"):
        members[name] = members[name].replace(mine, text_hash("Of somebody else.").encode())


def vectors(change: Callable[[Vectors], Vectors]) -> Forge:
    def forge(members: Members) -> None:
        saved = io.BytesIO()
        np.save(saved, change(np.load(io.BytesIO(members["vectors.npy"]))))
        members["vectors.npy"] = saved.getvalue()

    return forge


def with_vectors_of_shape(*shape: int) -> Forge:
    def forge(members: Members) -> None:
        file = io.BytesIO()
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        members["vectors.npy"] = file.getvalue()

    return forge


def with_a_second_archive(members: Members) -> None:
    members["vectors.npy"] = zipped({"x": b"y"})


@pytest.mark.parametrize(
    ("forge", "complaint"),
    [
        (of_other_bytes, "aren't its own"),
        (with_a_blob_of_another_name, "line 1.blob"),
        (with_a_vector_of_another_text, "isn't the text that was embedded"),
        (with_a_second_archive, "magic"),
        (vectors(lambda rows: 3 * rows), "of its model"),
        (vectors(lambda rows: rows[:-1]), "of its model"),
        (vectors(lambda rows: rows.astype(np.float64)), "of its model"),
        (with_vectors_of_shape(10**12, 10**6), "doesn't hold"),
        (with_vectors_of_shape(2 * 10**10, 1), "doesn't hold"),
        (with_vectors_of_shape(-1, 1), "doesn't hold"),
        (lambda members: members.update({"hashes.txt": b""}), "of its chunks"),
        (manifest(model=[]), "manifest.json.model"),
        (manifest(name=5), "manifest.json.name"),
        (manifest(format=2), "format 2"),
        (manifest(documents=0), "documents.jsonl has . rows"),
        (manifest(chunks=0), "chunks.jsonl has"),
        (settings(chat_model=5), "settings.chat_model"),
        (settings(dense_weight="1"), "settings.dense_weight"),
        (settings(more=1), "settings.more"),
        (document(media_type="text/plain\nX: y"), "line 1.media_type"),
        (document(media_type="文本/html"), "line 1.media_type"),
        (document(version="1\n2"), "line 1.version"),
        (document(title=["a"]), "line 1.title"),
        (document(metadata={"a": {"b": 1}}), "line 1.metadata.a"),
        (document(metadata={"a": None}), "line 1.metadata.a"),
        (document(pages=[[1, 0, 1]]), "line 1.pages.0"),
        (document(pages=[["1", 0, 1, "1"]]), "line 1.pages.0.0"),
        (document(pages=[[1, 0, 1, "1"], [1, 1, 2, "2"]]), "the page 1 is in it twice"),
        (document(pages=[[1, 0, 10**9, "1"]]), "outside"),
        (document(headings=[[2, 1, 1]]), "outside"),
        (document(headings=[1]), "line 1.headings.0"),
        (document(properties={"a": 1}), "line 1.properties.a"),
        (document(warnings="no"), "line 1.warnings"),
        (document(more=1), "line 1.more"),
        (documents(lambda rows: rows[0].update(uri=rows[1]["uri"])), "is in it twice"),
        (chunk(heading=[1, [2]]), "line 1.heading.0"),
        (chunk(end=10**9), "outside"),
        (chunk(start=-1), "line 1.start"),
        (chunk(tokens=1.5), "line 1.tokens"),
        (chunk(text_hash="x"), "isn't the text that was embedded"),
        (chunk(uri="nowhere"), "chunks of 'nowhere', but not the document"),
        (chunks(lambda rows: rows.__setitem__(0, rows[1])), "is in it twice"),
    ],
)
def test_what_is_forged_with_digests_that_fit_is_refused_too(
    shop: Workshop,
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forge: Forge,
    complaint: str,
) -> None:
    with zipfile.ZipFile(archive) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"])).encode()
    forge(members)
    said = json.loads(members.pop("manifest.json"))
    said["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    forged = tmp_path / "forged.zip"
    forged.write_bytes(zipped({**members, "manifest.json": json.dumps(said)}))
    created: list[str] = []
    monkeypatch.setattr(shop.engine.knowledge_bases, "put", lambda name, *_: created.append(name))
    with pytest.raises(DamagedDocument, match=f"isn't a whole archive.*{complaint}"):
        restore(shop.engine, forged, "forged", quietly)
    assert created == []
    assert not [path for path in tmp_path.rglob("x") if path.is_file()]


@pytest.mark.parametrize(
    ("victim", "padding", "packing", "complaint"),
    [
        ("manifest.json", b" " * 2_000_000, zipfile.ZIP_DEFLATED, "unpacks to 2,"),
        ("documents.jsonl", b"\n" * 2_000_000, zipfile.ZIP_DEFLATED, "unpacks to 2,"),
        ("vectors.npy", bytes(2_000_000), zipfile.ZIP_DEFLATED, "unpacks to 2,"),
        ("vectors.npy", b"", zipfile.ZIP_LZMA, "deflate"),
    ],
)
def test_what_unpacks_to_more_than_it_may_be_is_not_unpacked(
    shop: Workshop,
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    victim: str,
    padding: bytes,
    packing: int,
    complaint: str,
) -> None:
    monkeypatch.setattr(archive_checks, "_LARGE", 500_000)
    monkeypatch.setattr(archive_checks, "_RATIO", 2)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(bomb, "w") as out:
        for name in whole.namelist():
            data = whole.read(name) + (padding if name == victim else b"")
            out.writestr(name, data, packing if name == victim else zipfile.ZIP_DEFLATED)
    with pytest.raises(DamagedDocument, match=f"{victim}.*{complaint}"):
        restore(shop.engine, bomb, "bomb", quietly)


def test_chunks_whose_vectors_are_lost_are_not_left_out_in_silence(
    shop: Workshop, tmp_path: Path
) -> None:
    path = tmp_path / "docs.zip"
    with shop.engine.database.write() as connection:
        connection.execute(delete(embeddings).where(embeddings.c.text_hash.in_(lost(shop))))
    with pytest.raises(DataLost, match=r"2 of the \d+ chunks of 'docs' lack a vector.*doctor"):
        export(shop.engine, shop.kb, path, quietly)
    assert not path.exists()
    for uri in ("same", "same too"):
        shop.engine.indexer.remove(shop.kb, identify(shop.kb, uri))
        shop.ingest(note(uri, "Zebra."), unique=False)
    assert export(shop.engine, shop.kb, path, quietly) > 3


def lost(shop: Workshop) -> list[str]:
    """The hashes of what was embedded of the notes."""
    with shop.engine.database.read() as connection:
        mine = [identify(shop.kb, uri) for uri in ("same", "same too")]
        query = select(chunk_table.c.text_hash).where(chunk_table.c.document_id.in_(mine))
        return list(connection.scalars(query))


def test_where_nothing_can_be_written_it_says_so(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "missing" / "x.zip", tmp_path / "file" / "x.zip"):
        with pytest.raises(InvalidRequest, match=r"x\.zip can't be written: No.* directory\."):
            export(shop.engine, shop.kb, path, quietly)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(InvalidRequest, match=r"x\.zip can't be written: No space"):
        export(shop.engine, shop.kb, tmp_path / "x.zip", quietly)
    assert not (tmp_path / "x.zip").exists()


def test_a_file_that_is_there_is_not_overwritten(shop: Workshop, archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(InvalidRequest, match="there already"):
        export(shop.engine, shop.kb, archive, quietly)
    assert archive.read_bytes() == before


def test_half_an_import_is_nobodys_and_the_next_start_removes_it(
    shop: Workshop, archive: Path, open_test_engine: OpenEngine, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    def die(_done: int) -> None:
        assert [kb.name for kb in engine.knowledge_bases.all()] == []
        assert engine.knowledge_bases.find(engine.knowledge_bases.prepared()[0].name) is None
        raise Killed

    engine = open_test_engine(data=tmp_path / "elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.indexer, "remove_knowledge_base", lambda _kb: None)
        with pytest.raises(Killed):
            restore(engine, archive, None, die)
    found = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
    assert "imports" in [finding.subject for finding in found if not finding.ok]
    with engine.database.write() as connection:  # of one in Postgres another process may be at it
        connection.execute(update(knowledge_bases).values(created_at=0.0))
    engine = open_test_engine(data=tmp_path / "elsewhere")
    assert engine.knowledge_bases.prepared() == []
    assert restore(engine, archive, None, quietly).name == "docs"
    found = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
    assert all(finding.ok for finding in found)


def test_an_export_that_broke_off_is_no_archive(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / ".docs.zip.part").write_bytes(b"half")
    export(shop.engine, shop.kb, tmp_path / "docs.zip", quietly)
    assert not (tmp_path / ".docs.zip.part").exists()


def test_an_empty_one_survives_too(open_test_engine: OpenEngine, tmp_path: Path) -> None:
    engine = open_test_engine()
    kb, _ = engine.create("none")
    assert export(engine, kb, tmp_path / "none.zip", quietly) == 0
    restored = restore(engine, tmp_path / "none.zip", "none-2", quietly)
    assert engine.knowledge_bases.counts(restored) == (0, 0)
    with zipfile.ZipFile(tmp_path / "none.zip") as archive, archive.open("vectors.npy") as file:
        assert np.load(file).shape == (0, 0)
