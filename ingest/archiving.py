"""A knowledge base as one file, to be restored elsewhere without embedding anything.

A zip archive: `manifest.json` with what it is and the SHA-256 of every other member,
`documents.jsonl` and `chunks.jsonl`, `vectors.npy` `(n, d) float32` with `hashes.txt`, a line a
row, and the original bytes as `blobs/<sha256>`.
"""

import hashlib
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from ingest.chunking import chunk_id
from ingest.errors import DamagedDocument, SourceNotFound
from ingest.parsers.archive import BROKEN
from ingest.pipeline import identify
from retrieval.embedding.identity import ModelIdentity
from retrieval.engine import Engine
from retrieval.errors import InvalidRequest
from retrieval.schema import chunks, documents, embeddings, versions
from retrieval.staging import PreparedDocument
from retrieval.types import (
    Chunk,
    Chunking,
    Document,
    Heading,
    KnowledgeBase,
    KnowledgeBaseSettings,
    Page,
    Vectors,
)

_FORMAT = 1
_MANIFEST, _DOCUMENTS, _CHUNKS = "manifest.json", "documents.jsonl", "chunks.jsonl"
_VECTORS, _HASHES = "vectors.npy", "hashes.txt"

Watch = Callable[[int], None]
"""Told how many documents are done."""


def export(engine: Engine, kb: KnowledgeBase, path: Path, watch: Watch) -> int:
    """Write the live documents of a knowledge base to a file that isn't there yet; how many.

    Raises InvalidRequest where it is there, StoreUnavailable.
    """
    digests: dict[str, str] = {}
    try:
        with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:

            def write(name: str, data: bytes) -> None:
                digests[name] = hashlib.sha256(data).hexdigest()
                archive.writestr(name, data)

            rows = list(_document_rows(engine, kb))
            write(_DOCUMENTS, _lines(rows))
            pieces = list(_chunk_rows(engine, kb))
            write(_CHUNKS, _lines(pieces))
            hashes = sorted({piece["text_hash"] for piece in pieces})
            known = engine.cached_embedder(kb).lookup(hashes)
            matrix = io.BytesIO()
            np.save(matrix, np.stack([known[key] for key in hashes]) if hashes else _EMPTY)
            write(_VECTORS, matrix.getvalue())
            write(_HASHES, "\n".join(hashes).encode())
            written: set[str] = set()
            for done, row in enumerate(rows, start=1):
                if row["blob"] not in written:
                    written.add(row["blob"])
                    write(f"blobs/{row['blob']}", engine.blobs.get(row["blob"]))
                watch(done)
            manifest = {
                "format": _FORMAT,
                "name": kb.name,
                "settings": asdict(kb.settings),
                "model": kb.generation.model.to_json(),
                "chunker": kb.generation.chunker,
                "documents": len(rows),
                "chunks": len(pieces),
                "files": digests,
            }
            archive.writestr(_MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
    except FileExistsError as error:
        raise InvalidRequest(f"{path} is there already.") from error
    except BaseException:
        path.unlink(missing_ok=True)  # a part of an archive is none
        raise
    return len(rows)


def restore(engine: Engine, path: Path, name: str | None, watch: Watch) -> KnowledgeBase:
    """The knowledge base in an archive, under its own name or another that isn't taken.

    Nothing is embedded. Raises SourceNotFound, DamagedDocument where a digest doesn't fit, and
    InvalidRequest where the name is taken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _restore(engine, _Verified(archive, path), name, watch)
    except OSError as error:
        raise SourceNotFound(f"{path} can't be read: {error.strerror or error}.") from error
    except (*BROKEN, KeyError, IndexError, TypeError, AttributeError) as error:
        raise DamagedDocument(f"{path} isn't a whole archive of Footnote's: {error}.") from error


class _Verified:
    """Members of an archive, each checked against the manifest."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self._path = path
        self.manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
        if self.manifest["format"] != _FORMAT:
            raise DamagedDocument(
                f"{path} has format {self.manifest['format']}; this version reads {_FORMAT}."
            )

    def read(self, name: str) -> bytes:
        data = self._archive.read(name)
        if hashlib.sha256(data).hexdigest() != self.manifest["files"][name]:
            raise DamagedDocument(f"{self._path}: {name} isn't what was exported.")
        return data

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.read(name).splitlines()]


def _restore(engine: Engine, archive: _Verified, name: str | None, watch: Watch) -> KnowledgeBase:
    manifest = archive.manifest
    stored = manifest["settings"]
    settings = KnowledgeBaseSettings(
        **{**stored, "chunking": Chunking.from_fingerprint(manifest["chunker"])}
    )
    rows, pieces = archive.rows(_DOCUMENTS), archive.rows(_CHUNKS)
    matrix: Vectors = np.load(io.BytesIO(archive.read(_VECTORS)), allow_pickle=False)
    places = {key: at for at, key in enumerate(archive.read(_HASHES).decode().split())}
    model = ModelIdentity.from_json(manifest["model"])
    _check_vectors(matrix, len(places), model)
    by_document: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for piece in pieces:
        by_document[piece["uri"]].append(piece)
    wanted = name or manifest["name"]
    if engine.knowledge_bases.find(wanted):
        raise InvalidRequest(f"{wanted!r} is there already: name another with --kb.")
    kb, _ = engine.knowledge_bases.put(wanted, settings, model)
    try:
        for done, row in enumerate(rows, start=1):
            data = archive.read(f"blobs/{row['blob']}")
            mine = by_document[row["uri"]]
            vectors = matrix[[places[piece["text_hash"]] for piece in mine]]
            _check(row, mine, data)
            engine.indexer.publish(_prepared(kb, row, mine, vectors, data))
            watch(done)
    except BaseException:
        engine.indexer.remove_knowledge_base(kb)  # all of it, or nothing
        raise
    return kb


def _check_vectors(vectors: Vectors, count: int, model: ModelIdentity) -> None:
    norms = np.linalg.norm(vectors, axis=-1) if vectors.size else np.ones(0)
    shape = (count, model.dimension) if count else vectors.shape
    if (
        vectors.dtype != np.float32
        or vectors.shape != shape
        or not np.allclose(norms, 1, atol=0.01)
    ):
        raise ValueError("its vectors aren't those of its model")


def _check(row: Mapping[str, Any], pieces: list[dict[str, Any]], data: bytes) -> None:
    """Whether a document is consistent in itself. Raises ValueError."""
    if hashlib.sha256(data).hexdigest() != row["blob"]:
        raise ValueError(f"the bytes of {row['uri']!r} aren't its own")
    spans = [
        *((piece["start"], piece["end"]) for piece in pieces),
        *((start, end) for _, start, end, _ in row["pages"]),
        *((start, end) for start, end, _ in row["headings"]),
    ]
    if not all(0 <= start <= end <= len(row["text"]) for start, end in spans):
        raise ValueError(f"{row['uri']!r} has spans outside its text")


def _prepared(
    kb: KnowledgeBase,
    row: Mapping[str, Any],
    pieces: list[dict[str, Any]],
    vectors: Vectors,
    data: bytes,
) -> PreparedDocument:
    document = Document(
        id=identify(kb, row["uri"]),
        uri=row["uri"],
        version=row["version"],
        title=row["title"],
        media_type=row["media_type"],
        text=row["text"],
        pages=tuple(Page(*page) for page in row["pages"]),
        headings=tuple(Heading(*heading) for heading in row["headings"]),
        metadata={k: tuple(v) if isinstance(v, list) else v for k, v in row["metadata"].items()},
    )
    cut = tuple(_chunk(kb, document, ordinal, piece) for ordinal, piece in enumerate(pieces))
    return PreparedDocument(
        kb=kb,
        document=document,
        chunks=cut,
        texts=tuple(c.context + document.text[c.start : c.end] for c in cut),
        hashes=tuple(piece["text_hash"] for piece in pieces),
        vectors=vectors,
        name=row["name"],
        data=data,
        blob=row["blob"],
        properties=row["properties"],
        warnings=tuple(row["warnings"]),
    )


def _chunk(kb: KnowledgeBase, document: Document, ordinal: int, piece: Mapping[str, Any]) -> Chunk:
    return Chunk(
        id=chunk_id(document, kb.generation.fingerprint, piece["start"], piece["end"]),
        document_id=document.id,
        version=document.version,
        ordinal=ordinal,
        start=piece["start"],
        end=piece["end"],
        heading=tuple(piece["heading"]),
        context=piece["context"],
        tokens=piece["tokens"],
    )


_EMPTY: Vectors = np.zeros((0, 0), dtype=np.float32)

_LIVE = (versions.c.document_id == documents.c.id) & (
    versions.c.version == documents.c.live_version
)


def _document_rows(engine: Engine, kb: KnowledgeBase) -> Iterator[dict[str, Any]]:
    query = (
        select(documents.c.id, versions.c.blob, versions.c.name, versions.c.properties)
        .add_columns(versions.c.warnings)
        .join(versions, _LIVE)
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
    live = (chunks.c.document_id == documents.c.id) & (chunks.c.version == documents.c.live_version)
    known = (embeddings.c.text_hash == chunks.c.text_hash) & (
        embeddings.c.model_fingerprint == kb.generation.model.fingerprint
    )
    query = (
        select(documents.c.uri, chunks)
        .join(documents, live)
        .join(embeddings, known)
        .where(chunks.c.generation_id == kb.generation.id)
        .order_by(documents.c.uri, chunks.c.ordinal)
    )
    with engine.database.read() as connection:
        for row in connection.execute(query):
            yield {
                "uri": row.uri,
                "start": row.start,
                "end": row.end,
                "heading": row.heading,
                "context": row.context,
                "tokens": row.tokens,
                "text_hash": row.text_hash,
            }


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
