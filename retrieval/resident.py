"""Exact vectors held in memory, as they stand at an epoch of their knowledge base.

They are loaded aside, when a knowledge base has been asked more than once; until then, and
whenever it has changed, the catalogue answers. So no reader waits, and none sees anything else.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from retrieval.database import Database
from retrieval.embedding.cache import to_vector
from retrieval.errors import RetrievalError
from retrieval.exact_vectors import Scope, cosines
from retrieval.schema import (
    chunks,
    documents,
    embeddings,
    generations,
    knowledge_bases,
    vector_of_chunk,
)
from retrieval.types import KnowledgeBase, Vector, Vectors

_log = structlog.get_logger()

_CHANGING = -1  # no epoch
_BLOCK = 32_768  # vectors allocated at once
_SPARE = 1_024  # rows that may be nobody's, besides as many as are somebody's
_DENSE = 0.3  # share of a block from which all of it is multiplied rather than a copy of a part
_IDS = 400  # bytes that a chunk takes beside its vector, about
_SLICE = 400  # documents of one statement
_PAUSE = 1.0  # seconds between two loads, at least
_WORK = 0.05  # share of the time that loading again and again may take


@dataclass(frozen=True, slots=True)
class _Span:
    """The rows of a version."""

    version: str
    first: int
    count: int


class Resident:
    """The vectors of one generation. One thread changes it; any may read it meanwhile.

    A row is written once: what a document loses is dropped from the index only, so a reader
    never finds another chunk's vector. `epoch` is that of the knowledge base; while it is changed
    there is none. Who finds another one after reading than before may have missed something.
    """

    def __init__(self, dimension: int) -> None:
        self.epoch = _CHANGING
        self._dimension = dimension
        self._blocks: list[Vectors] = []
        self._ids: list[str] = []
        self._owners: list[str] = []
        self._rows: dict[str, int] = {}
        self._spans: dict[str, _Span] = {}

    @property
    def size(self) -> int:
        """Bytes, about."""
        return len(self._ids) * bytes_of(self._dimension)

    @property
    def documents(self) -> int:
        """How many there are."""
        return len(self._spans)

    @property
    def wasteful(self) -> bool:
        """Whether most rows are nobody's any more."""
        return len(self._ids) > 2 * len(self._rows) + _SPARE

    def versions(self) -> dict[str, str]:
        """The version of each document that is here."""
        return {document: span.version for document, span in self._spans.items()}

    def put(self, document: str, version: str, ids: Sequence[str], vectors: Vectors) -> None:
        """The chunks of a document, and no others of it."""
        self.drop(document)
        first = len(self._ids)
        for at in range(0, len(ids), _BLOCK):
            self._write(first + at, vectors[at : at + _BLOCK])
        self._ids.extend(ids)
        self._owners.extend([document] * len(ids))
        self._rows.update(zip(ids, range(first, first + len(ids)), strict=True))
        self._spans[document] = _Span(version, first, len(ids))

    def drop(self, document: str) -> None:
        """Forget a document, if it is here."""
        if span := self._spans.pop(document, None):
            for row in range(span.first, span.first + span.count):
                self._rows.pop(self._ids[row], None)

    def inside(self, ids: Iterable[str], documents: frozenset[str]) -> list[str]:
        """Those of the ids that are chunks of some documents."""
        rows = ((key, self._rows.get(key)) for key in ids)
        return [key for key, row in rows if row is not None and self._owners[row] in documents]

    def cosines(self, ids: list[str], vector: Vector) -> dict[str, float]:
        rows = {key: row for key in ids if (row := self._rows.get(key)) is not None}
        if not rows:
            return {}
        at = (divmod(row, _BLOCK) for row in rows.values())
        vectors = np.stack([self._blocks[block][place] for block, place in at])
        return dict(zip(rows, cosines(vectors, vector).tolist(), strict=True))

    def nearest(self, vector: Vector, scope: Scope | None, k: int) -> set[str]:
        """Also of all there are."""
        rows = self._rows_of(scope.documents if scope else [*self._spans])
        scores = self._products(rows, vector)
        if k < len(rows):
            last = np.partition(scores, len(scores) - k)[len(scores) - k]
            near = np.flatnonzero(scores >= last)
            rows, scores = rows[near], scores[near]
        named = zip((-scores).tolist(), (self._ids[row] for row in rows.tolist()), strict=True)
        return {key for _, key in sorted(named)[:k]}

    def _rows_of(self, wanted: Iterable[str]) -> NDArray[np.int64]:
        """The rows of some documents, ascending."""
        spans = (self._spans.get(document) for document in wanted)
        pairs = sorted((span.first, span.count) for span in spans if span)
        first = np.array([pair[0] for pair in pairs], dtype=np.int64)
        count = np.array([pair[1] for pair in pairs], dtype=np.int64)
        before = np.cumsum(count) - count
        return np.repeat(first - before, count) + np.arange(count.sum())

    def _products(self, rows: NDArray[np.int64], vector: Vector) -> NDArray[np.float32]:
        parts = [np.zeros(0, np.float32)]
        ends = np.searchsorted(rows, np.arange(1, len(self._blocks) + 1) * _BLOCK)
        for number, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            places = rows[start:end] - number * _BLOCK
            block = self._blocks[number]
            if len(places) > _DENSE * _BLOCK:
                parts.append((block @ vector)[places])
            elif len(places):
                parts.append(block[places] @ vector)
        return np.concatenate(parts)

    def _write(self, first: int, vectors: Vectors) -> None:
        """Into a block, or the end of one and the beginning of the next."""
        number, place = divmod(first, _BLOCK)
        while number + (place + len(vectors) > _BLOCK) >= len(self._blocks):
            self._blocks.append(np.zeros((_BLOCK, self._dimension), dtype=np.float32))
        room = _BLOCK - place
        self._blocks[number][place : place + len(vectors)] = vectors[:room]
        if len(vectors) > room:
            self._blocks[number + 1][: len(vectors) - room] = vectors[room:]


@dataclass(slots=True)
class _Entry:
    """What is known of a generation: how often it was asked for, and when to load it again."""

    resident: Resident | None = None
    asked: int = 0
    loading: bool = False
    not_before: float = 0.0


class Residents:
    """Those of all generations, within a budget in bytes. Any thread may call it."""

    def __init__(self, database: Database, budget: int) -> None:
        self._database = database
        self._budget = budget
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # asked last, last
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="resident-vectors")
        self._closing = threading.Event()

    def at(self, kb: KnowledgeBase, epoch: int) -> Resident | None:
        """The vectors of a knowledge base, if they are here as they are at an epoch."""
        with self._lock:
            entry = self._entries.setdefault(kb.generation.id, _Entry())
            self._entries.move_to_end(kb.generation.id)
            entry.asked += 1
            if entry.resident and entry.resident.epoch == epoch:
                return entry.resident
            if entry.asked > 1 and not entry.loading and time.monotonic() >= entry.not_before:
                entry.loading = True
                self._loader.submit(self._load, kb, entry)
        return None

    def load(self, kb: KnowledgeBase) -> None:
        """Load them now, as far as the budget allows. Raises StoreUnavailable."""
        with self._lock:
            entry = self._entries.setdefault(kb.generation.id, _Entry())
        loaded: Future[None] = self._loader.submit(self._refresh, kb, entry)
        loaded.result()

    @property
    def size(self) -> int:
        """Bytes that all of them take, about."""
        with self._lock:
            entries = list(self._entries.values())
        return sum(entry.resident.size for entry in entries if entry.resident)

    def close(self) -> None:
        """Stop loading, at once."""
        self._closing.set()
        self._loader.shutdown(cancel_futures=True)

    def _load(self, kb: KnowledgeBase, entry: _Entry) -> None:
        began = time.monotonic()
        try:
            self._refresh(kb, entry)
        except RetrievalError as error:  # the catalogue is asked instead, and tells the reader
            _log.warning("vectors_not_loaded", knowledge_base=kb.name, error=str(error))
        finally:
            ended = time.monotonic()
            entry.not_before = ended + max(_PAUSE, (ended - began) / _WORK)
            entry.loading = False

    def _refresh(self, kb: KnowledgeBase, entry: _Entry) -> None:
        with self._database.read() as connection:
            # Of a generation that isn't live chunks may yet come, without another epoch.
            epoch = connection.scalar(
                select(knowledge_bases.c.epoch).where(
                    knowledge_bases.c.id == kb.id,
                    knowledge_bases.c.generation_id == kb.generation.id,
                )
            )
            self._forget(set(connection.scalars(select(generations.c.id))))
            if entry.resident and entry.resident.wasteful:
                entry.resident = None
            if epoch is None or not self._fits(connection, kb):
                entry.resident = None
                return
            resident = entry.resident or Resident(kb.generation.model.dimension)
            resident.epoch = _CHANGING
            live = _live(connection, kb)
            known = resident.versions()
            for document in known.keys() - live.keys():
                resident.drop(document)
            new = [document for document, version in live.items() if known.get(document) != version]
            for at in range(0, len(new), _SLICE):
                if self._closing.is_set():
                    return
                _add(connection, kb, resident, {key: live[key] for key in new[at : at + _SLICE]})
        resident.epoch = epoch
        entry.resident = resident

    def _forget(self, generations_left: set[str]) -> None:
        with self._lock:
            for generation in self._entries.keys() - generations_left:
                del self._entries[generation]

    def _fits(self, connection: Connection, kb: KnowledgeBase) -> bool:
        """Whether there is room for a knowledge base, made if others were asked longer ago."""
        counted = select(func.count()).where(chunks.c.generation_id == kb.generation.id)
        count = connection.scalar(counted) or 0
        own = self._entries[kb.generation.id].resident
        needed = count * bytes_of(kb.generation.model.dimension)
        left = self._budget - max(needed, own.size if own else 0)
        with self._lock:
            others = [entry for key, entry in self._entries.items() if key != kb.generation.id]
            used = sum(entry.resident.size for entry in others if entry.resident)
            for entry in others:
                if left < 0 or used <= left:
                    break
                used -= entry.resident.size if entry.resident else 0
                entry.resident = None
        return left >= 0


def bytes_of(dimension: int) -> int:
    """What a chunk takes in memory."""
    return 4 * dimension + _IDS


def _live(connection: Connection, kb: KnowledgeBase) -> dict[str, str]:
    query = select(documents.c.id, documents.c.live_version).where(
        documents.c.kb_id == kb.id, documents.c.live_version.is_not(None)
    )
    return {row.id: row.live_version for row in connection.execute(query)}


def _add(
    connection: Connection, kb: KnowledgeBase, resident: Resident, versions: dict[str, str]
) -> None:
    """Put documents in, with the chunks of these versions."""
    query = (
        select(chunks.c.document_id, chunks.c.version, chunks.c.id, embeddings.c.vector)
        .join(embeddings, vector_of_chunk(kb.generation.model.fingerprint))
        .where(chunks.c.document_id.in_(versions), chunks.c.generation_id == kb.generation.id)
    )
    found: dict[str, list[tuple[str, Vector]]] = {document: [] for document in versions}
    for row in connection.execute(query):
        if row.version == versions[row.document_id]:
            found[row.document_id].append((row.id, to_vector(row.vector)))
    for document, pairs in found.items():
        if not pairs:
            continue  # they aren't there yet
        vectors = np.array([vector for _, vector in pairs], dtype=np.float32)
        vectors = vectors.reshape(len(pairs), kb.generation.model.dimension)
        resident.put(document, versions[document], [key for key, _ in pairs], vectors)
