"""The way in: bytes -> text -> chunks -> vectors -> stores, one document at a time."""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePath

from ingest import parsers
from ingest.chunking import CutDocument, cut, shortened
from ingest.errors import IngestError, TooLarge
from ingest.parsing import Parser
from ingest.retrying import may_pass
from ingest.types import Parsed, Source, Stage
from retrieval.embedding.cache import text_hash
from retrieval.engine import Engine
from retrieval.errors import RetrievalError
from retrieval.indexing import Permit, Published, anybody
from retrieval.observing import timed
from retrieval.staging import PreparedDocument
from retrieval.types import Document, KnowledgeBase, Metadata

Progress = Callable[[Stage, int, int], None]
"""Told the stage, and how many of how many chunks are embedded. What it raises ends the work."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a source: the document that holds it now, and what that cost."""

    document_id: str
    version: str
    outcome: Published
    chunks: int = 0
    embedded: int = 0
    warnings: tuple[str, ...] = ()


class Pipeline:
    """Ingests sources into knowledge bases. Any thread may call it."""

    def __init__(self, engine: Engine, parser: Parser, max_bytes: int) -> None:
        self._engine = engine
        self._parser = parser
        self.max_bytes = max_bytes

    def ingest(
        self,
        kb: KnowledgeBase,
        source: Source,
        progress: Progress,
        *,
        unique: bool = True,
        document_id: str | None = None,
        permit: Permit = anybody,
    ) -> Ingested:
        """Make a source searchable, at the cost of what is new about it.

        Content that the document has already costs nothing; nor, with `unique`, does content
        that another document of the knowledge base has. `permit` raises where it isn't to be
        published any more. Raises IngestError, RetrievalError.
        """
        if len(source.data) > self.max_bytes:
            raise TooLarge(
                f"{source.name} has {len(source.data):,} bytes; the limit is {self.max_bytes:,}."
            )
        document_id = document_id or identify(kb, source.uri)
        blob = hashlib.sha256(source.data).hexdigest()
        version = _version(source, blob)
        known = self._known(kb, document_id, version, source)
        if known:
            return known
        if unique and (twin := self._twin(kb, document_id, blob)):
            return twin
        progress(Stage.PARSING, 0, 0)
        with self._timed(Stage.PARSING):
            parsed = self._parser.parse(
                source.data,
                source.name,
                source.media_type,
                lambda: progress(Stage.PARSING, 0, 0),
            )
        document = self._document(kb, document_id, version, source, parsed)
        progress(Stage.CHUNKING, 0, 0)
        embedder = self._engine.embedders.of(kb)
        with self._timed(Stage.CHUNKING):
            pieces = cut(
                document,
                kb.settings.chunking,
                embedder.identity.window,
                embedder,
                kb.generation.fingerprint,
                lambda: progress(Stage.CHUNKING, 0, 0),
            )
        try:
            return self._store(kb, source, document, parsed, pieces, progress, unique, permit)
        except (IngestError, RetrievalError) as error:
            if not may_pass(error):
                self._engine.cached_embedder(kb).forget(pieces.texts)
            raise

    def _timed(self, stage: Stage) -> AbstractContextManager[None]:
        return timed(self._engine.observer, "ingest", stage.value)

    def calibrate(self, kb: KnowledgeBase) -> None:
        """Measure the legs of a knowledge base that may have grown: see `Calibrator`."""
        self._engine.calibrator.refresh(kb)

    def _store(
        self,
        kb: KnowledgeBase,
        source: Source,
        document: Document,
        parsed: Parsed,
        pieces: CutDocument,
        progress: Progress,
        unique: bool,
        permit: Permit,
    ) -> Ingested:
        total = len(pieces.chunks)
        progress(Stage.EMBEDDING, 0, total)
        with self._timed(Stage.EMBEDDING):
            embedded = self._engine.cached_embedder(kb).embed(
                pieces.texts,
                lambda done: progress(Stage.EMBEDDING, done, total),
                pieces.tokenized,
            )
        progress(Stage.WRITING, total, total)
        prepared = PreparedDocument(
            kb=kb,
            document=document,
            name=source.name,
            data=source.data,
            blob=hashlib.sha256(source.data).hexdigest(),
            properties=parsed.properties,
            warnings=parsed.warnings,
            chunks=pieces.chunks,
            texts=pieces.texts,
            hashes=tuple(map(text_hash, pieces.texts)),
            vectors=embedded.vectors,
        )
        with self._timed(Stage.WRITING):
            published = self._engine.indexer.publish(prepared, unique=unique, permit=permit)
        return Ingested(
            published.document_id,
            published.version,
            published.outcome,
            total,
            embedded.computed,
            parsed.warnings,
        )

    def _known(
        self, kb: KnowledgeBase, document_id: str, version: str, source: Source
    ) -> Ingested | None:
        """The outcome for a version that is live already; its metadata may still be new."""
        documents = self._engine.documents
        if documents.live_version(kb, document_id) != version:
            return None
        if not documents.is_whole(kb, document_id):
            return None  # something lost its vectors: this makes them anew
        if source.metadata is None or _same(source.metadata, documents.metadata(kb, document_id)):
            return Ingested(document_id, version, Published.UNCHANGED)
        self._engine.indexer.describe(kb, document_id, source.metadata)
        return Ingested(document_id, version, Published.UPDATED)

    def _twin(self, kb: KnowledgeBase, document_id: str, blob: str) -> Ingested | None:
        documents = self._engine.documents
        twin = documents.live_with_blob(kb, blob)
        if twin is None or twin == document_id:
            return None
        return Ingested(twin, documents.live_version(kb, twin) or "", Published.DUPLICATE)

    def _document(
        self, kb: KnowledgeBase, document_id: str, version: str, source: Source, parsed: Parsed
    ) -> Document:
        metadata = source.metadata
        if metadata is None:
            metadata = self._engine.documents.metadata(kb, document_id)
        return Document(
            id=document_id,
            uri=source.uri,
            version=version,
            title=shortened(source.title or parsed.title or PurePath(source.name).stem),
            media_type=parsed.media_type,
            text=parsed.text,
            pages=parsed.pages,
            headings=parsed.headings,
            metadata=metadata,
        )


def identify(kb: KnowledgeBase, uri: str) -> str:
    """The id of the document with this uri: the same whenever it is ingested."""
    return hashlib.sha256(f"{kb.id}\n{uri}".encode()).hexdigest()[:24]


def _same(one: Metadata, other: Metadata) -> bool:
    """Whether both say the same to a filter, for which True isn't 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _version(source: Source, blob: str) -> str:
    """The id of the content, and of all else that decides what text is made of it."""
    parts = [blob, parsers.FINGERPRINT, source.media_type or "", source.title or "", source.name]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
