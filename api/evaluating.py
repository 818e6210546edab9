"""Evaluations in the background of a server: one at a time, each to its end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from api.background import Background
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
from retrieval.errors import NotFound, RetrievalError
from retrieval.types import KnowledgeBase


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


class Evaluator:
    """Measures knowledge bases as they stand: each leg, and both as they are fused."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._evaluations = evaluations_of(engine)
        self._background = Background(
            engine.works, "evaluation", "evaluated", Status, RetrievalError, EvaluationError
        )
        self._evaluations.adopt(engine.settings.data / "evaluation" / "kb")
        for kb in stale(engine):
            self.forget(kb)

    def start(self, name: str, wanted: Wanted) -> Status:
        """Begin, in the background. Raises InvalidRequest where one is under way already."""
        kb = self._engine.open(name)
        with self._background.claimed(kb) as work:
            status = Status("waiting", wanted.source)
            return self._background.begin(work, kb, status, lambda: self._evaluate(kb, wanted))

    def status(self, name: str) -> Status | None:
        """How the last evaluation stands, whichever process made it, if there was one."""
        return self._background.standing(self._engine.knowledge_bases.get(name))

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
        return self._background.wait(self._engine.knowledge_bases.get(name))

    def forget(self, kb: KnowledgeBase) -> None:
        """Delete what is kept of a knowledge base."""
        self._evaluations.forget(kb.id)

    def close(self) -> None:
        """Stop at the next question; what was measured so far is lost."""
        self._background.close()

    def _evaluate(self, kb: KnowledgeBase, wanted: Wanted) -> str:
        """The state that it ends in."""

        def track(step: str, total: int) -> Callable[[int], None]:
            self._background.tell(kb, state="measuring", step=step, done=0, total=total)

            def progress(done: int) -> None:
                self._background.go_on(kb)
                self._background.tell(kb, done=done)

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
        if self.review(kb) is None:
            raise EvaluationError(
                "A document that the report tells of was deleted while it was made. Begin again."
            )
        return "done"

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
    return Evaluations(engine.database)


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
