"""Reindexing in the background of a server: one knowledge base at a time, each to its end."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from evaluation import generations as measured
from evaluation.generations import Comparison
from ingest.reindexing import Reindexing
from retrieval.engine import Engine
from retrieval.errors import InvalidRequest, RetrievalError
from retrieval.generations import Generations, Wish
from retrieval.known_items import known_items
from retrieval.types import Chunking, KnowledgeBase

_log = structlog.get_logger()

_QUESTIONS = 200  # made of the text, where none are given

Pairs = Sequence[tuple[str, str]]
"""Questions, each with the uri of the document that answers it."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a reindexing stands: building, switched, refused, failed or stopped."""

    state: str
    model: str
    done: int = 0
    total: int = 0
    comparison: Comparison | None = None
    error: str = ""


class _Stopped(Exception):
    """The process ends; the next one goes on."""


class Reindexer:
    """Builds a new generation, compares it with the old one, and switches if it isn't worse."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reindexing = Reindexing(engine)
        self._statuses: dict[str, Status] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._turn = threading.Lock()  # one at a time: two would share one machine
        self._claim = threading.Lock()
        self._closing = threading.Event()

    def resume(self) -> None:
        """Go on with what an earlier process began."""
        generations = Generations(self._engine.database)
        for target in generations.unfinished():
            self._spawn(target, generations.wish(target))

    def start(
        self,
        name: str,
        model: str | None = None,
        chunking: Chunking | None = None,
        questions: Pairs = (),
        *,
        force: bool = False,
    ) -> Status:
        """Begin, in the background. Raises InvalidRequest where it is under way already."""
        kb = self._engine.open(name)
        with self._claim:
            self._check_idle(kb)
            wish = Wish(force, tuple(questions))
            target = self._reindexing.begin(kb, model, chunking, wish)
            return self._spawn(target, wish)

    def wait(self, name: str) -> Status | None:
        """How it stands when it is over."""
        if thread := self._threads.get(self._engine.knowledge_bases.get(name).id):
            thread.join()
        return self.status(name)

    def status(self, name: str) -> Status | None:
        """How the last reindexing of a knowledge base stands, if there was one."""
        return self._statuses.get(self._engine.knowledge_bases.get(name).id)

    def roll_back(self, name: str) -> KnowledgeBase:
        """Back to the generation before, when nothing else is under way."""
        kb = self._engine.open(name)
        with self._claim:
            self._check_idle(kb)
            return self._reindexing.roll_back(kb, lambda _done, _total: None)

    def discard(self, name: str) -> int:
        """Forget the generations that aren't live."""
        kb = self._engine.open(name)
        with self._claim:
            self._check_idle(kb)
            return self._reindexing.discard(kb)

    def close(self) -> None:
        """Stop at the next document; the next start goes on."""
        self._closing.set()
        for thread in self._threads.values():
            thread.join()

    def _check_idle(self, kb: KnowledgeBase) -> None:
        if (thread := self._threads.get(kb.id)) and thread.is_alive():
            raise InvalidRequest(f"{kb.name!r} is being reindexed. Wait until that is over.")

    def _spawn(self, target: KnowledgeBase, wish: Wish) -> Status:
        status = Status("building", target.generation.model.name)
        self._statuses[target.id] = status
        thread = threading.Thread(
            target=self._work, args=(target, wish), name=f"reindex-{target.name}"
        )
        self._threads[target.id] = thread
        thread.start()
        return status

    def _work(self, target: KnowledgeBase, wish: Wish) -> None:
        try:
            with self._turn:
                status = self._reindex(target, wish)
        except _Stopped:
            status = replace(self._statuses[target.id], state="stopped")
        except RetrievalError as error:
            status = replace(self._statuses[target.id], state="failed", error=str(error))
        except Exception as error:  # noqa: BLE001 - its status is where this is looked for
            _log.exception("reindexing_failed", knowledge_base=target.name)
            status = replace(self._statuses[target.id], state="failed", error=repr(error))
        self._statuses[target.id] = status
        _log.info("reindexing", knowledge_base=target.name, state=status.state)

    def _reindex(self, target: KnowledgeBase, wish: Wish) -> Status:
        def progress(done: int, total: int) -> None:
            if self._closing.is_set():
                raise _Stopped
            self._statuses[target.id] = replace(self._statuses[target.id], done=done, total=total)

        self._reindexing.build(target, progress)
        live = self._engine.open(target.name)
        comparison = self._compare(live, target, wish.questions)
        self._statuses[target.id] = replace(self._statuses[target.id], comparison=comparison)
        if comparison.worse and not wish.force:
            self._reindexing.refuse(target)
            return replace(self._statuses[target.id], state="refused")
        self._reindexing.switch(target, progress)
        return replace(self._statuses[target.id], state="switched")

    def _compare(self, live: KnowledgeBase, target: KnowledgeBase, questions: Pairs) -> Comparison:
        engine = self._engine
        if questions:
            items = measured.by_uri(engine, live, questions)
            return measured.compare(engine, live, target, items)
        made = known_items(engine.chunks, live, _QUESTIONS)
        embedders = engine.embedders
        return measured.compare_models(embedders.of(live), embedders.of(target), made)
