"""The one writer of the stores: it publishes and removes documents, several in one go.

Where other processes have the same catalogue open, the knowledge bases that are written are held
meanwhile, so that each has one writer among them all.

A document passes three steps. Its new version is staged in the catalogue, where nobody sees it;
its chunks are written to the vector store and the lexical index; one transaction makes the
version live. What an interruption leaves in the stores belongs to no live version, so no reader
sees it. Whatever waits while the writer is busy shares the next round, and with it the cost of
the commits.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from retrieval import removal
from retrieval.database import Database
from retrieval.documents import Documents
from retrieval.errors import KnowledgeBaseNotFound, StoreUnavailable
from retrieval.ports import Blobs, Posting, Stores
from retrieval.reclaiming import Reclaimer
from retrieval.removal import StaleChunk
from retrieval.side_by_side import side_by_side
from retrieval.staging import (
    PreparedChunks,
    PreparedDocument,
    advance,
    make_live,
    set_metadata,
    stage,
    stage_generation,
    unstage,
)
from retrieval.types import KnowledgeBase, Metadata

R = TypeVar("R")

_log = structlog.get_logger()

_ROUND = 64  # documents that share a round


class Published(StrEnum):
    """What publishing a version came to."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Publication:
    """The document that now holds the content, and what had to be done for it."""

    document_id: str
    version: str
    outcome: Published


Permit = Callable[[Connection], None]
"""Raises, in a transaction that would publish, where that isn't to happen any more."""


def anybody(_connection: Connection) -> None:
    """The permit of who needs none."""


@dataclass(frozen=True, slots=True)
class _Request:
    prepared: PreparedDocument
    unique: bool
    permit: Permit
    done: "Future[Publication]"


class Indexer:
    """Publishes and removes documents. Any thread may call it; one thread does the writing."""

    def __init__(self, database: Database, stores: Stores, blobs: Blobs) -> None:
        self._database = database
        self._documents = Documents(database)
        self._stores = stores
        self._blobs = blobs
        self._waiting: deque[_Request] = deque()
        # What the stores still have of deleted documents, by knowledge base; the writer's alone.
        self._stale: defaultdict[str, list[StaleChunk]] = defaultdict(list)
        self._reclaimer = Reclaimer(database, blobs)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="index-writer")

    def publish(
        self, prepared: PreparedDocument, *, unique: bool = False, permit: Permit = anybody
    ) -> Publication:
        """Make a version searchable, entirely or not at all; returns when it is.

        With `unique`, bytes that another document of the knowledge base holds already are not
        added again. `permit` raises where the version isn't to be published any more. Raises
        KnowledgeBaseNotFound if it is gone by now, StoreUnavailable.
        """
        request = _Request(prepared, unique, permit, Future())
        self._waiting.append(request)
        self._writer.submit(self._round)
        return request.done.result()

    def describe(self, kb: KnowledgeBase, document_id: str, metadata: Metadata) -> None:
        """Replace the metadata of a document. Raises DocumentNotFound."""

        def task(database: Database) -> None:
            self._documents.summary(kb, document_id)
            with database.write() as connection:
                set_metadata(connection, {document_id: metadata})
                advance(connection, kb)

        self._writer.submit(self._held, task, [kb]).result()

    def remove_generation(self, kb: KnowledgeBase) -> None:
        """Forget the generation of this knowledge base, which isn't the live one."""
        self.run(lambda database: removal.generation(database, self._stores, kb), kb)

    def remove(self, kb: KnowledgeBase, document_id: str) -> None:
        """Forget a document: nobody finds it from then on, and the stores follow, once for all
        documents whose removal waits by then. Raises DocumentNotFound.
        """

        def task(database: Database) -> None:
            stale, unused = removal.document(database, kb, document_id)
            self._stale[kb.id] += stale
            self.release(unused)
            with suppress(RuntimeError):  # while closing, which ends with a sweep
                self._writer.submit(self._sweep)

        self._writer.submit(self._held, task, [kb]).result()

    def remove_knowledge_base(self, kb: KnowledgeBase) -> None:
        """Forget a knowledge base and all that is in it."""

        def task(database: Database) -> None:
            self.release(removal.knowledge_base(database, self._stores, kb))

        self.run(task, kb)

    def release(self, originals: Iterable[str]) -> None:
        """Delete those original bytes that nothing refers to any more, soon."""
        self._reclaimer.release(originals)

    def fill(self, prepared: PreparedChunks) -> None:
        """Write a live version into a generation that isn't live, unless it is live no more."""

        def task(database: Database) -> None:
            self._stores.vectors(prepared.kb.generation.id)  # made before a chunk of it is live
            with database.write() as connection:
                if not stage_generation(connection, prepared):
                    return
            self._fill(prepared.kb.generation.id, [prepared])

        self.run(task, prepared.kb)

    def run(self, change: Callable[[Database], R], *kbs: KnowledgeBase) -> R:
        """Do something with the catalogue while nothing is published or removed, in these
        knowledge bases by no other process either, and the stores have followed.
        """

        def task() -> R:
            self._sweep()
            return self._held(change, kbs)

        return self._writer.submit(task).result()

    def settle(self) -> None:
        """Wait until the stores and the originals have followed every removal so far."""
        self.run(lambda _: None)
        self._reclaimer.settle()

    def close(self) -> None:
        """Finish what waits, then stop."""
        self._writer.shutdown()
        self._sweep()
        self._reclaimer.close()

    def _sweep(self) -> None:
        """Let the stores follow the removals; before the next publication at the latest, which may
        bring the same chunks back.
        """
        stale, self._stale = self._stale, defaultdict(list)
        for kb_id, chunks in stale.items():
            try:
                with self._database.hold([kb_id]) as database:
                    removal.sweep(database, self._stores, chunks)
            except StoreUnavailable as error:  # the next start sweeps them
                self._stores.doubt()
                _log.warning("stale_chunks_left", chunks=len(chunks), error=str(error))

    def _round(self) -> None:
        """Publish what waits; where that fails, each document succeeds or fails alone."""
        requests = self._take()
        if not requests:
            return
        try:
            outcomes = self._publish(requests)
        except Exception as error:  # noqa: BLE001 - it ends up at the caller of publish
            if len(requests) == 1:
                requests[0].done.set_exception(_explained(error, requests[0].prepared))
                return
            for request in requests:
                try:
                    request.done.set_result(self._publish([request])[0])
                except Exception as alone:  # noqa: BLE001
                    request.done.set_exception(_explained(alone, request.prepared))
            return
        for request, outcome in zip(requests, outcomes, strict=True):
            request.done.set_result(outcome)

    def _take(self) -> list[_Request]:
        """The requests of a round: the oldest, until one touches the same document or bytes. Where
        other processes publish, too, only those of one knowledge base: who holds several at once
        keeps the others out of all of them.
        """
        taken: list[_Request] = []
        left: list[_Request] = []  # each submitted a round of its own
        seen: set[str] = set()
        while self._waiting and len(taken) < _ROUND:
            prepared = self._waiting[0].prepared
            if self._database.shared and taken and prepared.kb.id != taken[0].prepared.kb.id:
                left.append(self._waiting.popleft())
                continue
            touched = {prepared.document.id, prepared.kb.id + prepared.blob}
            if touched & seen:
                break
            seen |= touched
            taken.append(self._waiting.popleft())
        self._waiting.extendleft(reversed(left))
        return taken

    def _held(self, change: Callable[[Database], R], kbs: Iterable[KnowledgeBase]) -> R:
        with self._database.hold(kb.id for kb in kbs) as database:
            return change(database)

    def _publish(self, requests: Sequence[_Request]) -> list[Publication]:
        self._sweep()
        kbs = [request.prepared.kb for request in requests]
        return self._held(lambda database: self._publish_all(database, requests), kbs)

    def _publish_all(self, database: Database, requests: Sequence[_Request]) -> list[Publication]:
        outcomes = self._outcomes(requests)
        wanted = [
            request
            for request, publication in zip(requests, outcomes, strict=True)
            if publication.outcome in (Published.ADDED, Published.UPDATED)
        ]
        if not wanted:
            return outcomes
        new = [request.prepared for request in wanted]
        with database.write() as connection:
            for request in wanted:
                request.permit(connection)
            stage(connection, new)
        try:
            removal.await_deletion(database, [one.blob for one in new])
            with side_by_side(self._blobs.put, [one.data for one in new]):
                for generation, group in _by_generation(new).items():
                    self._fill(generation, group)
            with database.write() as connection:
                for request in wanted:
                    request.permit(connection)
                replaced = make_live(connection, new)
        except Exception:
            self._take_back(database, new)
            raise
        removal.sweep(database, self._stores, replaced)
        return outcomes

    def _take_back(self, database: Database, staged: Iterable[PreparedDocument]) -> None:
        """Leave nothing of what didn't become live; where that fails too, the next start does."""
        try:
            with database.write() as connection:
                for prepared in staged:
                    unstage(connection, prepared)
        except StoreUnavailable as error:
            self._stores.doubt()
            _log.warning("staged_versions_left", error=str(error))
        for one in staged:
            self._stale[one.kb.id] += [(one.kb.generation.id, chunk.id) for chunk in one.chunks]

    def _outcomes(self, requests: Sequence[_Request]) -> list[Publication]:
        """What publishing each is going to come to."""
        live: dict[str, str] = {}
        twins: dict[tuple[str, str], str] = {}
        for kb in {request.prepared.kb.id: request.prepared.kb for request in requests}.values():
            mine = [one.prepared for one in requests if one.prepared.kb.id == kb.id]
            live |= self._documents.live_versions(kb, [one.document.id for one in mine])
            found = self._documents.live_with_blobs(kb, [one.blob for one in mine])
            twins |= {(kb.id, blob): document_id for blob, document_id in found.items()}
        return [self._outcome(request, live, twins) for request in requests]

    def _outcome(
        self,
        request: _Request,
        live: Mapping[str, str],
        twins: Mapping[tuple[str, str], str],
    ) -> Publication:
        """By the live versions of documents, and the documents that hold bytes in a knowledge
        base.
        """
        document, kb = request.prepared.document, request.prepared.kb
        if live.get(document.id) == document.version:
            return Publication(document.id, document.version, Published.UNCHANGED)
        twin = twins.get((kb.id, request.prepared.blob))
        if request.unique and twin is not None and twin != document.id:
            version = self._documents.live_version(kb, twin) or ""
            return Publication(twin, version, Published.DUPLICATE)
        outcome = Published.UPDATED if document.id in live else Published.ADDED
        return Publication(document.id, document.version, outcome)

    def _fill(self, generation: str, group: Sequence[PreparedChunks]) -> None:
        filled = [p for p in group if p.chunks]
        if not filled:
            return
        self._stores.vectors(generation).upsert(
            [chunk.id for p in filled for chunk in p.chunks],
            np.concatenate([p.vectors for p in filled]),
            [chunk.document_id for p in filled for chunk in p.chunks],
        )
        self._stores.lexical(generation).upsert(
            [
                Posting(chunk.id, chunk.document_id, text)
                for p in filled
                for chunk, text in zip(p.chunks, p.texts, strict=True)
            ]
        )


def _by_generation(prepared: Iterable[PreparedDocument]) -> dict[str, list[PreparedDocument]]:
    groups: defaultdict[str, list[PreparedDocument]] = defaultdict(list)
    for one in prepared:
        groups[one.kb.generation.id].append(one)
    return groups


def _explained(error: Exception, prepared: PreparedDocument) -> Exception:
    """A broken reference means that the knowledge base was deleted meanwhile."""
    if isinstance(error, IntegrityError):
        return KnowledgeBaseNotFound(prepared.kb.name)
    return error
