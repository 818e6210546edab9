"""Evaluations in the background of a server: one at a time, each to its end."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import structlog

from api.evaluations import Evaluation, Evaluations, Kept, Source
from evaluation.errors import EvaluationError
from evaluation.machine import describe
from evaluation.own_measuring import configurations, measure, with_texts
from evaluation.own_questions import OwnQuestion, feedback_set, given_set
from evaluation.report.content import Report, report_on
from evaluation.report.html import to_html
from evaluation.sentence_questions import sentence_set
from evaluation.test_set import TestSet
from retrieval import filters
from retrieval.engine import Engine
from retrieval.errors import InvalidRequest, NotFound, RetrievalError
from retrieval.types import KnowledgeBase

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure by: `questions` that are given, or at most `count` generated ones."""

    source: Source
    questions: tuple[OwnQuestion, ...] = ()
    count: int = 200


@dataclass(frozen=True, slots=True)
class Status:
    """How an evaluation stands: waiting, measuring, done, failed or stopped.

    Of the step that it is at, `done` questions of `total` are answered.
    """

    state: str
    source: Source | None
    step: str = ""
    done: int = 0
    total: int = 0
    error: str = ""


class _Stopped(Exception):
    """The process ends."""


class Evaluator:
    """Measures knowledge bases as they stand: each leg, and both as they are fused."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._evaluations = evaluations_of(engine)
        self._statuses: dict[str, Status] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._turn = threading.Lock()  # one at a time: two would share one machine
        self._claim = threading.Lock()
        self._closing = threading.Event()
        self._evaluations.tidy({kb.id for kb in engine.knowledge_bases.all()})
        for kb in stale(engine):
            self.forget(kb)

    def start(self, name: str, wanted: Wanted) -> Status:
        """Begin, in the background. Raises InvalidRequest where one is under way already."""
        kb = self._engine.open(name)
        with self._claim:
            if (thread := self._threads.get(kb.id)) and thread.is_alive():
                raise InvalidRequest(f"{name!r} is being evaluated. Wait until that is over.")
            status = self._statuses[kb.id] = Status("waiting", wanted.source)
            thread = threading.Thread(
                target=self._work, args=(kb, wanted), name=f"evaluate-{kb.name}"
            )
            self._threads[kb.id] = thread
            thread.start()
            return status

    def status(self, name: str) -> Status | None:
        """How the last evaluation since the start stands, if there was one."""
        return self._statuses.get(self._engine.knowledge_bases.get(name).id)

    def last(self, name: str) -> Kept | None:
        """The last evaluation that came to its end, also before a restart; see `review`."""
        return self.review(self._engine.knowledge_bases.get(name))

    def review(self, kb: KnowledgeBase) -> Kept | None:
        """What is kept of a knowledge base, unless its report has texts of a document that was
        deleted since: then it is forgotten.
        """
        kept = self._evaluations.of(kb.id)
        if kept and _shows_deleted(self._engine, kb, kept):
            self.forget(kb)
            return None
        return kept

    def report(self, name: str) -> str:
        """Its report as a page. Raises NotFound."""
        if kept := self.last(name):
            return kept.report
        raise NotFound(f"{name!r} hasn't been evaluated yet: POST /kb/{name}/evaluation does.")

    def wait(self, name: str) -> Status | None:
        """How it stands when it is over."""
        if thread := self._threads.get(self._engine.knowledge_bases.get(name).id):
            thread.join()
        return self.status(name)

    def forget(self, kb: KnowledgeBase) -> None:
        """Delete what is kept of a knowledge base."""
        self._evaluations.forget(kb.id)

    def close(self) -> None:
        """Stop at the next question; what was measured so far is lost."""
        self._closing.set()
        for thread in self._threads.values():
            thread.join()

    def _work(self, kb: KnowledgeBase, wanted: Wanted) -> None:
        try:
            with self._turn:
                self._evaluate(kb, wanted)
            status = replace(self._statuses[kb.id], state="done")
        except _Stopped:
            status = replace(self._statuses[kb.id], state="stopped")
        except (RetrievalError, EvaluationError) as error:
            status = replace(self._statuses[kb.id], state="failed", error=str(error))
        except Exception as error:  # noqa: BLE001 - its status is where this is looked for
            _log.exception("evaluation_failed", knowledge_base=kb.name)
            status = replace(self._statuses[kb.id], state="failed", error=repr(error))
        self._statuses[kb.id] = status
        _log.info("evaluation", knowledge_base=kb.name, state=status.state)

    def _evaluate(self, kb: KnowledgeBase, wanted: Wanted) -> None:
        def track(step: str, total: int) -> Callable[[int], None]:
            self._statuses[kb.id] = Status("measuring", wanted.source, step, 0, total)

            def progress(done: int) -> None:
                if self._closing.is_set():
                    raise _Stopped
                self._statuses[kb.id] = replace(self._statuses[kb.id], done=done)

            return progress

        track("questions", 0)(0)
        test_set = self._test_set(kb, wanted)
        judged = measure(self._engine, kb, test_set, configurations(kb), track)
        test_set = with_texts(self._engine, kb, test_set, judged[-1])
        found = report_on(test_set, judged)
        made = f"POST /kb/{kb.name}/evaluation, source {wanted.source.value}"
        page = to_html(Report(describe(), date.today(), made, (found,)))
        kept = Kept(
            evaluation=Evaluation.of(wanted.source, found),
            report=page,
            shown=sorted({uri for one in found.failures for uri in one.documents}),
        )
        self._evaluations.keep(kb.id, kept)
        if not self._engine.knowledge_bases.by_id(kb.id):  # it was deleted meanwhile
            self.forget(kb)
        elif self.review(kb) is None:
            raise EvaluationError(
                "A document that the report tells of was deleted while it was made. Begin again."
            )

    def _test_set(self, kb: KnowledgeBase, wanted: Wanted) -> TestSet:
        match wanted.source:
            case Source.FEEDBACK:
                return feedback_set(self._engine, kb)
            case Source.GENERATED:
                return sentence_set(self._engine, kb, wanted.count)
            case Source.QUESTIONS:
                return given_set(self._engine, kb, wanted.questions)


def evaluations_of(engine: Engine) -> Evaluations:
    """Where the last evaluation of each knowledge base is kept."""
    return Evaluations(engine.settings.data / "evaluation" / "kb")


def stale(engine: Engine) -> list[KnowledgeBase]:
    """Knowledge bases whose report has texts of documents that are deleted by now."""
    evaluations = evaluations_of(engine)
    kept = ((kb, evaluations.of(kb.id)) for kb in engine.knowledge_bases.all())
    return [kb for kb, one in kept if one and _shows_deleted(engine, kb, one)]


def _shows_deleted(engine: Engine, kb: KnowledgeBase, kept: Kept) -> bool:
    if not kept.shown:
        return False
    there = filters.condition({"uri": {"$in": kept.shown}})
    return engine.documents.count(kb, there) < len(kept.shown)
