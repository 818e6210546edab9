import re
from dataclasses import dataclass, replace

import pytest

from retrieval.answering import Answering, Question
from retrieval.chat.extractive import ExtractiveAnswerer
from retrieval.conversation import Turn
from retrieval.errors import DocumentNotFound, InvalidRequest
from retrieval.filters import Filter
from retrieval.reading.reader import Reader
from retrieval.search import Found, Query, Searcher
from retrieval.types import Answer, KnowledgeBase
from tests.retrieval.library import Library

TEXT = """# Warranty

The Kestrel is covered for twenty-four months.
Batteries are covered for six months.

# 运费险

运费险由禾安保险承保。🙂
"""
QUESTIONS = ["How long are batteries covered?", "运费险由谁承保？"]


def ask(library: Library, question: str, filter_: Filter | None = None) -> Answer:
    return library.engine.answering.ask(library.kb, Question(question, filter=filter_ or {}))


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_sentence_has_a_marker_and_every_marker_a_true_citation(
    library: Library, question: str
) -> None:
    library.add("a", TEXT)
    answer = ask(library, question)
    assert not answer.abstained
    assert re.findall(r"\[(\d+)\]$", answer.text, re.MULTILINE) == [
        str(citation.marker) for citation in answer.citations
    ]
    assert [citation.marker for citation in answer.citations] == list(
        range(1, len(answer.citations) + 1)
    )
    for line, citation in zip(answer.text.splitlines(), answer.citations, strict=True):
        document = library.engine.documents.get(library.kb, citation.document_id, citation.version)
        assert document.text[citation.start : citation.end] == citation.quote
        assert line == f"{' '.join(citation.quote.split())} [{citation.marker}]"
    assert answer.usage.used == len(answer.citations) <= answer.usage.considered
    assert answer.timings["total"] >= answer.timings["draft"] > 0


@pytest.mark.parametrize(
    ("question", "said"),
    [("Which planet has rings of ice?", "I found nothing"), ("哪颗行星有冰环？", "没有找到")],
)
def test_an_abstention_is_in_the_language_of_the_question(
    library: Library, question: str, said: str
) -> None:
    for _ in range(2):  # with nothing in the knowledge base, and with something else
        answer = ask(library, question)
        assert said in answer.text
        assert (answer.abstained, answer.citations) == (True, ())
        assert answer.confidence < 0.5
        library.add("a", TEXT)


def test_a_filter_holds_for_answers_too(library: Library) -> None:
    library.add("a", TEXT, {"year": 2025})
    assert ask(library, QUESTIONS[0], {"year": 2026}).abstained
    assert not ask(library, QUESTIONS[0], {"year": 2025}).abstained


def test_a_question_must_be_one(library: Library) -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        ask(library, "  ")


@dataclass
class Deleting:
    """A searcher after whose search a document goes away."""

    library: Library
    document_id: str

    def search(self, kb: KnowledgeBase, query: Query) -> Found:
        found = self.library.engine.searcher.search(kb, query)
        self.library.indexer.remove(kb, self.document_id)
        return found


def test_what_was_deleted_meanwhile_is_not_cited(library: Library) -> None:
    document = library.add("a", TEXT).document_id
    engine = library.engine
    searcher: Searcher = Deleting(library, document)  # type: ignore[assignment]
    answering = Answering(
        searcher, ExtractiveAnswerer(Reader(engine.embedders)), engine.documents, engine.stores
    )
    answer = answering.ask(library.kb, Question(QUESTIONS[0]))
    assert (answer.abstained, answer.citations) == (True, ())
    with pytest.raises(DocumentNotFound):
        engine.documents.get(library.kb, document)


def test_evidence_is_what_the_answer_was_judged_by(library: Library) -> None:
    library.add("a", TEXT)
    evidence = library.engine.answering.basis(library.kb, Question(QUESTIONS[0])).draft.evidence
    assert evidence.coverage > 0.5


@pytest.mark.parametrize(
    ("question", "told"), [(QUESTIONS[0], "closest"), (QUESTIONS[1], "最接近")]
)
def test_who_wants_to_be_surer_is_told_what_comes_closest(
    library: Library, question: str, told: str
) -> None:
    library.add("a", TEXT)
    answer = library.engine.answering.ask(library.kb, Question(question, min_confidence=1.0))
    assert (answer.abstained, answer.citations) == (True, ())
    assert told in answer.text and "a" in answer.text
    closest = answer.closest[0]
    document = library.engine.documents.get(library.kb, closest.document_id, closest.version)
    assert document.text[closest.start : closest.end] == closest.quote
    assert answer.query == question


def test_what_was_searched_for_is_told_where_it_is_not_the_question(library: Library) -> None:
    library.add("a", TEXT)
    history = (Turn("user", "Which planets have rings?"),)
    answer = library.engine.answering.ask(
        library.kb, Question("And what about it?", history=history, min_confidence=1.0)
    )
    assert "Which planets have rings?" in answer.query
    assert "I searched for: Which planets have rings? And what about it?" in answer.text


def test_a_knowledge_base_says_how_sure_it_wants_to_be(library: Library) -> None:
    library.add("a", TEXT)
    engine = library.engine
    strict, _ = engine.create(library.kb.name, replace(library.kb.settings, min_confidence=1.0))
    assert engine.answering.ask(strict, Question(QUESTIONS[0])).abstained
    assert not engine.answering.ask(strict, Question(QUESTIONS[0], min_confidence=0.0)).abstained
    with pytest.raises(InvalidRequest, match="min_confidence"):
        engine.create(library.kb.name, replace(library.kb.settings, min_confidence=1.5))
