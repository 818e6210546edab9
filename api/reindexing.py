"""Reindexing in the background of a server: one knowledge base at a time, each to its end."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from api.background import STOPPED, Background
from evaluation import generations as measured
from evaluation.generations import Comparison
from ingest.reindexing import Reindexing
from retrieval.engine import Engine
from retrieval.errors import (
    InvalidRequest,
    KnowledgeBaseNotFound,
    ModelUnavailable,
    RetrievalError,
)
from retrieval.generations import Generations, Wish
from retrieval.known_items import known_items
from retrieval.types import Chunking, KnowledgeBase
from retrieval.works import Work

_log = structlog.get_logger()

_LOOK = 30.0  # seconds between two looks for what other processes left
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


class Reindexer:
    """Builds a new generation, compares it with the old one, and switches if it isn't worse."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reindexing = Reindexing(engine)
        self._generations = Generations(engine.database)
        self._background = Background(
            engine.works, "reindexing", "reindexed", Status, RetrievalError
        )
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._look, name="reindexing-watch", daemon=True)

    def resume(self) -> None:
        """Go on with what an earlier process began; from then on also with what another one that
        shares the catalogue leaves when it ends.
        """
        for target in self._generations.unfinished():
            self._take_up(target)
        if self._engine.database.shared:
            self._watch.start()

    def start(
        self,
        name: str,
        model: str | None = None,
        chunking: Chunking | None = None,
        questions: Pairs = (),
        *,
        force: bool = False,
    ) -> Status:
        """Begin, in the background. Raises InvalidRequest where it is under way already, or where
        the model that is asked for can't be loaded.
        """
        kb = self._engine.open(name)
        with self._background.claimed(kb) as work:
            wish = Wish(force, tuple(questions))
            try:
                target = self._reindexing.begin(kb, model, chunking, wish)
            except ModelUnavailable as error:
                if model is None:
                    raise
                raise InvalidRequest(str(error)) from error  # whoever asked chose it
            return self._spawn(work, target, wish)

    def wait(self, name: str) -> Status | None:
        """How it stands when it is over."""
        return self._background.wait(self._engine.knowledge_bases.get(name))

    def status(self, name: str) -> Status | None:
        """How the last reindexing of a knowledge base stands, if there was one."""
        return self._background.standing(self._engine.knowledge_bases.get(name))

    def roll_back(self, name: str) -> KnowledgeBase:
        """Back to the generation before, when nothing else is under way."""
        kb = self._engine.open(name)
        with self._background.claimed(kb):
            return self._reindexing.roll_back(kb, lambda _done, _total: None)

    def discard(self, name: str) -> int:
        """Forget the generations that aren't live."""
        kb = self._engine.open(name)
        with self._background.claimed(kb):
            return self._reindexing.discard(kb)

    def close(self) -> None:
        """Stop at the next document; the next start goes on, or another process does."""
        self._closing.set()
        if self._watch.ident is not None:
            self._watch.join()
        self._background.close()

    def _look(self) -> None:
        """Take up what is left, now and then."""
        while not self._closing.wait(_LOOK):
            try:
                for target in self._generations.unfinished():
                    status = self._background.standing(target)
                    if status and status.state == STOPPED:
                        self._take_up(target)
            except RetrievalError as error:
                _log.warning("reindexing_not_looked_for", error=str(error))

    def _take_up(self, target: KnowledgeBase) -> None:
        """Go on with a generation, unless another process does."""
        try:
            with self._background.claimed(target) as work:
                if target in self._generations.unfinished():
                    self._spawn(work, target, self._generations.wish(target))
        except (InvalidRequest, KnowledgeBaseNotFound):
            return  # somebody is at it, or it is gone

    def _spawn(self, work: Work, target: KnowledgeBase, wish: Wish) -> Status:
        status = Status("building", target.generation.model.name)
        return self._background.begin(work, target, status, lambda: self._reindex(target, wish))

    def _reindex(self, target: KnowledgeBase, wish: Wish) -> str:
        """The state that it ends in."""

        def progress(done: int, total: int) -> None:
            self._background.go_on(target)
            self._background.tell(target, done=done, total=total)

        self._reindexing.build(target, progress)
        live = self._engine.open(target.name)
        comparison = self._compare(live, target, wish.questions)
        self._background.tell(target, comparison=comparison)
        if comparison.worse and not wish.force:
            self._reindexing.refuse(target)
            return "refused"
        self._reindexing.switch(target, progress)
        return "switched"

    def _compare(self, live: KnowledgeBase, target: KnowledgeBase, questions: Pairs) -> Comparison:
        engine = self._engine
        if questions:
            items = measured.by_uri(engine, live, questions)
            return measured.compare(engine, live, target, items)
        made = known_items(engine.chunks, live, _QUESTIONS)
        embedders = engine.embedders
        return measured.compare_models(embedders.of(live), embedders.of(target), made)
