"""Answers: search, choose what to quote, put footnotes that are checked, or abstain."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retrieval.abstention import THRESHOLD, probability
from retrieval.chat.extractive import Draft, ExtractiveAnswerer
from retrieval.citations import cite, place
from retrieval.conversation import Turn, standalone
from retrieval.documents import Documents
from retrieval.errors import DocumentNotFound
from retrieval.filters import Filter
from retrieval.ports import Stores
from retrieval.question import is_chinese
from retrieval.search import Query, Searcher, Weighing
from retrieval.types import Answer, Citation, Hit, KnowledgeBase, Outcome, Statement, Usage

_NOTHING_EN = "I found nothing in these documents that answers this."
_NOTHING_ZH = "在这些文档中没有找到能回答这个问题的内容。"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, how many chunks to look at, and in which documents.

    `history` is what was said before; `options` are for a chat model (temperature, seed ...).
    `min_confidence` stands before that of the knowledge base.
    """

    text: str
    k: int = 10
    filter: Filter = field(default_factory=dict)
    history: tuple[Turn, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    min_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What an answer rests on: the chunks found, what could be quoted, and how sure that is.

    `kb` has the generation that was searched.
    `confidence` is the probability that the documents hold an answer; below `least` none is given.
    `rewritten` where a model put the query. `weighing` is how the legs of the search were fused,
    `epoch` that of the knowledge base.
    """

    kb: KnowledgeBase
    query: str
    rewritten: bool
    hits: tuple[Hit, ...]
    draft: Draft
    confidence: float
    least: float
    timings: Mapping[str, float]
    weighing: Weighing | None
    epoch: int

    @property
    def answerable(self) -> bool:
        return bool(self.draft.quotes) and self.confidence >= self.least

    def answer(
        self,
        text: str,
        citations: tuple[Citation, ...],
        model: str,
        usage: Usage | None = None,
        spent: Mapping[str, float] | None = None,
        within: Mapping[str, float] | None = None,
        closest: tuple[Citation, ...] = (),
        statements: tuple[Statement, ...] = (),
    ) -> Answer:
        """The answer with this text; `spent` is what it took beyond the search, in seconds, and
        `within` parts of that.
        """
        timings = {**self.timings, **(spent or {}), **(within or {})}
        timings["total"] = self.timings["total"] + sum((spent or {}).values())
        return Answer(
            query=self.query,
            text=text,
            citations=citations,
            closest=closest,
            statements=statements,
            hits=self.hits,
            abstained=not self.answerable or (model == ExtractiveAnswerer.name and not citations),
            confidence=self.confidence,
            model=model,
            usage=usage or Usage(self.draft.considered, len(citations)),
            timings=timings,
        )


class Answering:
    """Answers questions over a knowledge base. Any thread may call it."""

    def __init__(
        self,
        searcher: Searcher,
        answerer: ExtractiveAnswerer,
        documents: Documents,
        stores: Stores,
    ) -> None:
        self._searcher = searcher
        self._answerer = answerer
        self._documents = documents
        self._stores = stores

    def ask(self, kb: KnowledgeBase, question: Question) -> Answer:
        """An answer whose every sentence is a verified quote, or an abstention that says so."""
        return self.quoted(kb, question, self.basis(kb, question))

    def basis(self, kb: KnowledgeBase, question: Question, query: str = "") -> Basis:
        """What an answer to this question rests on, whoever writes it. `query` is what it means
        without the conversation, by words alone where that isn't known.
        """
        rewritten = bool(query)
        query = query or standalone(question.text, question.history)
        found = self._searcher.search(kb, Query(query, question.k, filter=question.filter))
        began = time.perf_counter()
        least = _least(kb, question)
        draft, confidence = self._draft(found.kb, question.text, found.hits)
        if confidence < least and query != question.text:
            # Alone the question says too little to tell what would answer it.
            draft, confidence = self._draft(found.kb, query, found.hits)
        drafting = time.perf_counter() - began
        return Basis(
            kb=found.kb,
            query=query,
            rewritten=rewritten,
            hits=found.hits,
            draft=draft,
            confidence=confidence,
            least=least,
            timings={
                **found.timings,
                "draft": drafting,
                "total": found.timings["total"] + drafting,
            },
            weighing=found.weighing,
            epoch=found.epoch,
        )

    def _draft(self, kb: KnowledgeBase, text: str, hits: tuple[Hit, ...]) -> tuple[Draft, float]:
        """What could be quoted, and the probability that it answers."""
        draft = self._answerer.draft(text, hits, self._stores.lexical(kb.generation.id))
        return draft, probability(text, draft.evidence) if draft.quotes else 0.0

    def quoted(self, kb: KnowledgeBase, question: Question, basis: Basis) -> Answer:
        """The answer that quotes, on this basis."""
        began = time.perf_counter()
        citations = self._cite(kb, basis) if basis.answerable else ()
        if not citations:
            return self.abstained(kb, question, basis, self._answerer.name)
        statements = tuple(
            Statement(citation.quote, Outcome.VERIFIED, (citation.marker,))
            for citation in citations
        )
        spent = {"quote": time.perf_counter() - began}
        text, name = _compose(citations), self._answerer.name
        return basis.answer(text, citations, name, spent=spent, statements=statements)

    def abstained(self, kb: KnowledgeBase, question: Question, basis: Basis, model: str) -> Answer:
        """That there is no answer, what was searched for, and what comes closest."""
        began = time.perf_counter()
        closest = self._cite(kb, basis)
        text = _abstention(question.text, basis.query, closest)
        spent = {"quote": time.perf_counter() - began}
        return basis.answer(text, (), model, spent=spent, closest=closest)

    def _cite(self, kb: KnowledgeBase, basis: Basis) -> tuple[Citation, ...]:
        """Footnotes for the quotes; one whose document was deleted meanwhile gets none."""
        citations: list[Citation] = []
        for quote in basis.draft.quotes:
            chunk = quote.hit.chunk
            try:
                document = self._documents.get(kb, chunk.document_id, chunk.version)
            except DocumentNotFound:
                continue
            marker = len(citations) + 1
            citations.append(
                cite(document, quote.start, quote.end, marker, basis.confidence * quote.share)
            )
        return tuple(citations)


def _compose(citations: tuple[Citation, ...]) -> str:
    """The quotes, a line each, with their markers; white space as a reader wants it."""
    return "\n".join(f"{' '.join(c.quote.split())} [{c.marker}]" for c in citations)


def _abstention(question: str, query: str, closest: Sequence[Citation]) -> str:
    """The abstention, in the language of the question as far as its script tells."""
    chinese = is_chinese(question)
    lines = [_NOTHING_ZH if chinese else _NOTHING_EN]
    if query != question:
        searched = " ".join(query.split())
        lines.append(f"检索的内容是：{searched}" if chinese else f"I searched for: {searched}")
    if closest:
        title, page = closest[0].title, closest[0].page
        if chinese:
            lines.append(f"最接近的内容在《{title}》{f'（{page}）' if page else ''}中。")
        else:
            lines.append(f"What comes closest is in {title}{place(page)}.")
    return "\n".join(lines)


def _least(kb: KnowledgeBase, question: Question) -> float:
    """The probability below which no answer is given."""
    asked = question.min_confidence
    of_kb = kb.settings.min_confidence
    return asked if asked is not None else THRESHOLD if of_kb is None else of_kb
