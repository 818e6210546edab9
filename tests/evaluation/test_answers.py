from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from evaluation.answers import AnswerScore, Gold, ask_all, score
from evaluation.errors import DatasetError
from evaluation.questions import SampleQuestion, file_name
from ingest.pipeline import Pipeline
from ingest.types import Source
from retrieval.answering import Question
from retrieval.engine import Engine
from retrieval.types import Answer, KnowledgeBase

ZEBRA = "Zebras live in Africa. The zebra is striped in black and white."
RETURNS = "公司成立于二〇一〇年。退货需要在七天内提出申请。"


@pytest.fixture
def kb(engine: Engine, pipeline: Pipeline) -> KnowledgeBase:
    kb, _ = engine.create("docs")
    for name, text in (("zebra.md", ZEBRA), ("退货 1.md", RETURNS)):
        uri = f"file:///folder/{name}".replace("退货 1", "%E9%80%80%E8%B4%A7%201")
        pipeline.ingest(kb, Source(uri, name, text.encode()), lambda *_: None)
    return kb


def gold(question: str, document: str, text: str, words: str) -> SampleQuestion:
    start = text.index(words)
    return SampleQuestion(
        question, question, "en", (words,), document, start, start + len(words), False
    )


STRIPED = gold("Is the zebra striped in black and white stripes?", "zebra.md", ZEBRA, "striped")
DAYS = gold("退货需要几天内提出申请？", "退货 1.md", RETURNS, "七天")
NOTHING = SampleQuestion(
    "none", "Who won the football championship?", "en", (), None, None, None, False
)


def measure(
    engine: Engine,
    kb: KnowledgeBase,
    questions: Sequence[Gold],
    watch: Callable[[int], None] = lambda _: None,
) -> AnswerScore:
    def ask(question: str) -> Answer:
        return engine.answering.ask(kb, Question(question))

    return score(engine, kb, ask_all(ask, questions, watch))


def shares(found: AnswerScore) -> tuple[float, float, float]:
    return found.first.mean, found.any.mean, found.refused.mean


def test_what_is_quoted_and_what_is_refused_is_counted(engine: Engine, kb: KnowledgeBase) -> None:
    told: list[int] = []
    found = measure(engine, kb, [STRIPED, NOTHING, DAYS], told.append)
    assert (found.answerable, found.unanswerable) == (2, 1)
    assert shares(found) == (1.0, 1.0, 0.0)
    assert found.abstained and found.abstained.mean == 1.0
    assert found.separation and found.separation.auroc.mean == 1.0
    assert found.verified == found.supported == found.cited.mean == 1.0
    assert found.precise and found.precise.mean > 0.5
    assert 0 < found.f1.mean < 1 and found.exact.mean == 0.0
    coverage, risk = found.risk[-1]
    assert coverage == 1.0 and risk == pytest.approx(1 / 3)
    assert 1 <= found.quotes <= 3
    assert 0 < found.p50 <= found.p95
    assert told == [1, 2, 3]


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(STRIPED, document="退货 1.md"),
        replace(STRIPED, start=0, end=len("Zebras live in Africa.")),
        replace(STRIPED, start=len(ZEBRA), end=len(ZEBRA) + 5),
        replace(STRIPED, document="gone.md"),
    ],
)
def test_a_quote_from_elsewhere_does_not_count(
    engine: Engine, kb: KnowledgeBase, elsewhere: SampleQuestion
) -> None:
    found = measure(engine, kb, [elsewhere, DAYS, NOTHING], lambda _: None)
    assert shares(found) == (0.5, 0.5, 0.0)


def test_gold_in_a_later_quote_counts_for_any_and_not_for_first(
    engine: Engine, pipeline: Pipeline, kb: KnowledgeBase
) -> None:
    texts = {"lion.md": "The lion roars at night.", "cat.md": "A lion roars in the dark, they say."}
    for name, text in texts.items():
        pipeline.ingest(kb, Source(name, name, text.encode()), lambda *_: None)
    asked = "Which lion roars at night in the dark?"
    _, later, *_ = engine.answering.ask(kb, Question(asked)).citations
    second = SampleQuestion("l", asked, "en", (), later.uri, later.start, later.end, False)
    found = measure(engine, kb, [second, NOTHING], lambda _: None)
    assert shares(found)[:2] == (0.0, 1.0)


def test_an_answerable_question_without_answer_is_refused(
    engine: Engine, kb: KnowledgeBase
) -> None:
    refused = replace(STRIPED, question=NOTHING.question)
    answered = replace(NOTHING, question=STRIPED.question)
    found = measure(engine, kb, [refused, DAYS, answered, NOTHING], lambda _: None)
    assert shares(found) == (0.5, 0.5, 0.5)
    assert found.abstained and found.abstained.mean == 0.5
    assert found.separation and found.separation.auroc.mean < 1.0


@pytest.mark.parametrize("questions", [[], [NOTHING]])
def test_questions_with_an_answer_are_needed(
    engine: Engine, kb: KnowledgeBase, questions: list[SampleQuestion]
) -> None:
    with pytest.raises(DatasetError, match="questions that have one"):
        measure(engine, kb, questions, lambda _: None)


def test_without_questions_that_nothing_answers_there_is_nothing_to_tell_apart(
    engine: Engine, kb: KnowledgeBase
) -> None:
    found = measure(engine, kb, [STRIPED, DAYS], lambda _: None)
    assert (found.unanswerable, found.abstained, found.separation) == (0, None, None)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("file:///folder/%E9%80%80%E8%B4%A7%201.md", "退货 1.md"),
        ("file:///folder/a%23b%3Fc.md", "a#b?c.md"),
        ("notes/a.md", "a.md"),
        ("a.md", "a.md"),
        ("https://example.com/path/a.md?query#part", "a.md"),
    ],
)
def test_the_file_that_a_uri_locates(uri: str, name: str) -> None:
    assert file_name(uri) == name
