"""A record made by hand, whose floats don't come out of JSON by luck."""

from collections.abc import Sequence

from retrieval.answering import Question
from retrieval.conversation import Turn
from retrieval.fusion import Fusion
from retrieval.records import Candidate, Configuration, Record, Said
from retrieval.search import Weighing
from retrieval.types import Chunking, Citation, KnowledgeBaseSettings, Outcome, Statement

WEIGHING = Weighing(Fusion.BACKGROUND, 0.1 + 0.2, "calibration", 1 / 3, 2 / 7)


def candidate(document: str = "d1", rank: int = 1, score: float = 0.1 + 0.7) -> Candidate:
    return Candidate(document, "v1", f"{document}.md", 3, 30, rank, score)


def citation(document: str = "d1", support: float = 0.6) -> Citation:
    text = ("It runs 🍵.", "第3页", True)
    return Citation(1, document, "v1", f"{document}.md", "Manual", 3, 13, *text, support)


def record(
    history: Sequence[Turn] = (),
    candidates: Sequence[Candidate] = (candidate(),),
    citations: Sequence[Citation] = (citation(),),
    prompt: Sequence[Turn] = (),
    text: str = "It runs 🍵. [1]",
    **options: object,
) -> Record:
    return Record(
        question=Question("运行?", 7, {"year": {"$gte": 2026}}, tuple(history), options, 0.25),
        query="运行?",
        rewritten=False,
        epoch=3,
        configuration=Configuration(
            package="0.1.0",
            generation="g",
            fingerprint="f:sentences-3:0:32",
            runtime="HashingBackend",
            settings=KnowledgeBaseSettings(Chunking(64, 8), Fusion.CONVEX, None, "tiny", "Be kind"),
            weighing=WEIGHING,
            least=0.25,
            reading="r",
            budget=0,
        ),
        candidates=tuple(candidates),
        prompt=tuple(prompt),
        model="extractive",
        digest="",
        said=Said(
            text=text,
            citations=tuple(citations),
            closest=(),
            statements=(Statement("It runs 🍵.", Outcome.VERIFIED, (1,), 1, ("number: 3",)),),
            abstained=False,
            confidence=0.1 + 0.2,
        ),
    )
