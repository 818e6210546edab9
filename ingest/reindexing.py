"""Another generation of a knowledge base, made from the stored text while the old one serves."""

import time
from collections.abc import Callable
from dataclasses import replace

from ingest.chunking import cut
from retrieval.embedding.cache import text_hash
from retrieval.engine import Engine
from retrieval.errors import DocumentNotFound, InvalidRequest, Superseded
from retrieval.generations import Generations, State, Wish
from retrieval.knowledge_bases import check_chunking
from retrieval.staging import PreparedChunks
from retrieval.types import Chunking, KnowledgeBase

Progress = Callable[[int, int], None]
"""Told how many of how many documents are in the new generation. What it raises ends the work."""

_ROUNDS = 20  # times that what was published meanwhile is caught up with before a switch
_LONGEST_PAUSE = 0.05  # seconds that a batch waits for questions, so that it never starves


class Reindexing:
    """Builds generations, switches to them and back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._generations = Generations(engine.database)

    def begin(
        self,
        kb: KnowledgeBase,
        model: str | None = None,
        chunking: Chunking | None = None,
        wish: Wish | None = None,
    ) -> KnowledgeBase:
        """The knowledge base with the generation to build; by default with its own model.

        Without a chunking it keeps its numbers, and gets the method of this version. Raises
        InvalidRequest where that is the live one, ModelUnavailable, ModelServerError.
        """
        embedder = self._engine.embedders.named(model or kb.generation.model.name)
        chunking = chunking or replace(kb.settings.chunking, method=Chunking().method)
        check_chunking(chunking)
        live = kb.generation
        if (live.model, live.chunker) == (embedder.identity, chunking.fingerprint):
            raise InvalidRequest(f"{kb.name!r} is indexed with {live.model} already.")
        target = self._generations.begin(kb, embedder.identity, chunking, wish or Wish())
        for other in self._generations.others(kb, State.BUILDING):
            if other.generation != target.generation:  # what was asked for last is what is wanted
                self._engine.indexer.remove_generation(other)
        return target

    def build(self, target: KnowledgeBase, progress: Progress) -> None:
        """Fill a generation until nothing is missing; what is there already stays.

        Between batches it makes way for questions.
        """
        total, _ = self._engine.knowledge_bases.counts(self._engine.open(target.name))
        while missing := self._generations.pending(target):
            for done, document_id in enumerate(missing):
                progress(max(total - len(missing) + done, 0), total)
                try:
                    self._add(target, document_id)
                except DocumentNotFound:
                    continue  # it was deleted meanwhile
        self._engine.calibrator.refresh(target, lambda: progress(total, total))
        progress(total, total)

    def switch(self, target: KnowledgeBase, progress: Progress) -> None:
        """Let everybody use a generation, as soon as nothing is missing in it."""
        for _ in range(_ROUNDS):
            self.build(target, progress)
            try:
                self._engine.indexer.run(
                    lambda database: Generations(database).make_live(target), target
                )
            except Superseded:
                continue  # something was published between the two
            self._forget_others(target)
            return
        raise Superseded(f"Documents of {target.name!r} change faster than they are indexed.")

    def refuse(self, target: KnowledgeBase) -> None:
        """Keep a generation that was found to be worse, without using it."""
        self._generations.mark(target, State.REFUSED)

    def roll_back(self, kb: KnowledgeBase, progress: Progress) -> KnowledgeBase:
        """Go back to the generation before: at once, but for what was changed since.

        Raises InvalidRequest where none is kept.
        """
        kept = self._generations.others(kb, State.READY)
        if not kept:
            raise InvalidRequest(f"No earlier generation of {kb.name!r} is kept.")
        self.switch(kept[-1], progress)
        return self._engine.open(kb.name)

    def discard(self, kb: KnowledgeBase) -> int:
        """Forget all generations that aren't live; how many there were."""
        others = self._generations.others(kb)
        for other in others:
            self._engine.indexer.remove_generation(other)
        return len(others)

    def _add(self, target: KnowledgeBase, document_id: str) -> None:
        engine = self._engine
        document = engine.documents.get(target, document_id)
        embedder = engine.embedders.of(target)
        chunking = Chunking.from_fingerprint(target.generation.chunker)
        pieces = cut(
            document,
            chunking,
            embedder.identity.window,
            embedder,
            target.generation.fingerprint,
        )
        cached = engine.cached_embedder(target)
        try:
            embedded = cached.embed(pieces.texts, lambda _done: self._make_way(), pieces.tokenized)
            engine.indexer.fill(
                PreparedChunks(
                    kb=target,
                    document=document,
                    chunks=pieces.chunks,
                    texts=pieces.texts,
                    hashes=tuple(map(text_hash, pieces.texts)),
                    vectors=embedded.vectors,
                )
            )
        finally:
            cached.forget(pieces.texts)  # where it was deleted meanwhile; used ones stay

    def _make_way(self) -> None:
        until = time.monotonic() + _LONGEST_PAUSE
        while self._engine.searcher.busy and time.monotonic() < until:
            time.sleep(0.01)

    def _forget_others(self, live: KnowledgeBase) -> None:
        """Of what isn't live, only the last that was is kept."""
        ready = self._generations.others(live, State.READY)
        kept = {one.generation.id for one in ready[-1:]}
        for other in self._generations.others(live):
            if other.generation.id not in kept:
                self._engine.indexer.remove_generation(other)
