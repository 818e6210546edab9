"""A knowledge base as one file, to be restored elsewhere without embedding anything.

A zip archive: `manifest.json` with what it is and the SHA-256 of every other member,
`documents.jsonl` and `chunks.jsonl`, `vectors.npy` `(n, d) float32` with `hashes.txt`, a line a
row, and the original bytes as `blobs/<sha256>`.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from ingest.archive_checks import (
    CHUNKS,
    DOCUMENTS,
    FORMAT,
    HASHES,
    MANIFEST,
    VECTORS,
    Archive,
    ChunkRow,
    DocumentRow,
    check,
)
from ingest.chunking import chunk_of
from ingest.errors import DamagedDocument, SourceNotFound
from ingest.parsers.archive import BROKEN
from ingest.pipeline import identify
from retrieval.engine import Engine
from retrieval.errors import DataLost, InvalidRequest
from retrieval.schema import LIVE_CHUNK, LIVE_VERSION, chunks, documents, versions
from retrieval.staging import PreparedDocument
from retrieval.types import (
    Chunking,
    Document,
    Heading,
    KnowledgeBase,
    Page,
    Vectors,
)
from retrieval.whole_files import whole_or_none

Watch = Callable[[int], None]
"""Told how many documents are done."""

_FETCHED = 4_096  # rows at a time


def export(engine: Engine, kb: KnowledgeBase, path: Path, watch: Watch) -> int:
    """Write the live documents of a knowledge base to a file that isn't there yet; how many.

    Raises InvalidRequest where it is there or can't be written, DataLost where vectors or
    original bytes are gone, StoreUnavailable. Then there is no file.
    """
    try:
        with (
            whole_or_none(path) as part,
            zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            return _export(engine, kb, archive, watch)
    except OSError as error:
        raise InvalidRequest(f"{path} can't be written: {error.strerror or error}.") from error


def _export(engine: Engine, kb: KnowledgeBase, archive: zipfile.ZipFile, watch: Watch) -> int:
    digests: dict[str, str] = {}

    def write(name: str, data: bytes) -> None:
        digests[name] = hashlib.sha256(data).hexdigest()
        archive.writestr(name, data)

    rows, pieces = list(_document_rows(engine, kb)), list(_chunk_rows(engine, kb))
    hashes = sorted({piece["text_hash"] for piece in pieces})
    matrix = io.BytesIO()
    np.save(matrix, _vectors(engine, kb, pieces, hashes))
    write(DOCUMENTS, _lines(rows))
    write(CHUNKS, _lines(pieces))
    write(VECTORS, matrix.getvalue())
    write(HASHES, "\n".join(hashes).encode())
    written: set[str] = set()
    for done, row in enumerate(rows, start=1):
        if row["blob"] not in written:
            written.add(row["blob"])
            write(f"blobs/{row['blob']}", engine.blobs.get(row["blob"]))
        watch(done)
    calibration = engine.calibrations.of(kb)
    manifest = {
        "format": FORMAT,
        "name": kb.name,
        "settings": asdict(kb.settings),
        "model": kb.generation.model.to_json(),
        "chunker": kb.generation.chunker,
        "documents": len(rows),
        "chunks": len(pieces),
        "calibration": calibration and asdict(calibration.found),
        "files": digests,
    }
    archive.writestr(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
    return len(rows)


def restore(engine: Engine, path: Path, name: str | None, watch: Watch) -> KnowledgeBase:
    """The knowledge base in an archive, under its own name or another that isn't taken.

    Nothing is embedded, and nothing is written before the whole archive is checked. Raises
    SourceNotFound, DamagedDocument where anything in it doesn't fit, and InvalidRequest where
    the name is taken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _restore(engine, Archive(archive), name, watch)
    except OSError as error:
        raise SourceNotFound(f"{path} can't be read: {error.strerror or error}.") from error
    except (*BROKEN, KeyError, IndexError, TypeError) as error:
        raise DamagedDocument(f"{path} isn't a whole archive of Footnote's: {error}.") from error


def _restore(engine: Engine, archive: Archive, name: str | None, watch: Watch) -> KnowledgeBase:
    manifest, contents = archive.manifest, check(archive)
    chunking = Chunking.from_fingerprint(manifest.chunker)
    wanted = name or manifest.name
    settings = replace(manifest.settings, chunking=chunking)
    kb = engine.knowledge_bases.prepare(wanted, settings, manifest.model)
    try:
        for done, row in enumerate(contents.documents, start=1):
            pieces, vectors = contents.chunks(row), contents.vectors(row)
            engine.indexer.publish(_prepared(kb, row, pieces, vectors, archive.original(row)))
            watch(done)
        if manifest.calibration:
            engine.calibrator.adopt(kb, manifest.calibration)
        return engine.knowledge_bases.reveal(kb, wanted)
    except BaseException:
        engine.indexer.remove_knowledge_base(kb)  # all of it, or nothing
        raise


def _prepared(
    kb: KnowledgeBase,
    row: DocumentRow,
    pieces: Sequence[ChunkRow],
    vectors: Vectors,
    data: bytes,
) -> PreparedDocument:
    document = Document(
        id=identify(kb, row.uri),
        uri=row.uri,
        version=row.version,
        title=row.title,
        media_type=row.media_type,
        text=row.text,
        pages=tuple(Page(*page) for page in row.pages),
        headings=tuple(Heading(*heading) for heading in row.headings),
        metadata=row.metadata,
    )
    generation = kb.generation.fingerprint
    cut = tuple(
        chunk_of(document, generation, at, p.start, p.end, p.heading, p.context, p.tokens)
        for at, p in enumerate(pieces)
    )
    return PreparedDocument(
        kb=kb,
        document=document,
        chunks=cut,
        texts=tuple(c.context + document.text[c.start : c.end] for c in cut),
        hashes=tuple(piece.text_hash for piece in pieces),
        vectors=vectors,
        name=row.name,
        data=data,
        blob=row.blob,
        properties=row.properties,
        warnings=row.warnings,
    )


def _document_rows(engine: Engine, kb: KnowledgeBase) -> Iterator[dict[str, Any]]:
    query = (
        select(documents.c.id, versions.c.blob, versions.c.name, versions.c.properties)
        .add_columns(versions.c.warnings)
        .join(versions, LIVE_VERSION)
        .where(documents.c.kb_id == kb.id)
        .order_by(documents.c.uri)
    )
    with engine.database.read() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        document = engine.documents.get(kb, row.id)
        yield {
            "uri": document.uri,
            "version": document.version,
            "title": document.title,
            "name": row.name,
            "media_type": document.media_type,
            "blob": row.blob,
            "text": document.text,
            "pages": [[p.number, p.start, p.end, p.label] for p in document.pages],
            "headings": [[h.start, h.end, h.level] for h in document.headings],
            "metadata": dict(document.metadata),
            "properties": row.properties,
            "warnings": row.warnings,
        }


def _chunk_rows(engine: Engine, kb: KnowledgeBase) -> Iterator[dict[str, Any]]:
    query = (
        select(documents.c.uri, chunks)
        .join(documents, LIVE_CHUNK)
        .where(chunks.c.generation_id == kb.generation.id)
        .order_by(documents.c.uri, chunks.c.ordinal)
    )
    with engine.database.read() as connection:
        for row in connection.execute(query.execution_options(yield_per=_FETCHED)):
            yield {
                "uri": row.uri,
                "start": row.start,
                "end": row.end,
                "heading": row.heading,
                "context": row.context,
                "tokens": row.tokens,
                "text_hash": row.text_hash,
            }


def _vectors(
    engine: Engine, kb: KnowledgeBase, pieces: Sequence[Mapping[str, Any]], hashes: Sequence[str]
) -> Vectors:
    """The vectors of these texts. Raises DataLost where one isn't there."""
    known = engine.cached_embedder(kb).lookup(hashes)
    lost = sum(piece["text_hash"] not in known for piece in pieces)
    if lost:
        raise DataLost(
            f"{lost:,} of the {len(pieces):,} chunks of {kb.name!r} lack a vector, so it can't be "
            f"exported whole. Send their documents again; `footnote doctor` tells more."
        )
    if not hashes:
        return np.zeros((0, 0), dtype=np.float32)
    return np.stack([known[key] for key in hashes])


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
