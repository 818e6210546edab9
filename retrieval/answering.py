"""Answers: search, choose what to quote, put footnotes that are checked, or abstain."""

import time
from dataclasses import dataclass, field

from retrieval.abstention import THRESHOLD, probability
from retrieval.chat.extractive import Draft, Evidence, ExtractiveAnswerer, Quote
from retrieval.citations import cite
from retrieval.documents import Documents
from retrieval.errors import DocumentNotFound
from retrieval.filters import Filter
from retrieval.ports import Stores
from retrieval.search import Found, Query, Searcher
from retrieval.types import Answer, Citation, KnowledgeBase, Usage

_NOTHING_EN = "I found nothing in these documents that answers this."
_NOTHING_ZH = "在这些文档中没有找到能回答这个问题的内容。"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, how many chunks to look at, and in which documents."""

    text: str
    k: int = 10
    filter: Filter = field(default_factory=dict)


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
        found = self._search(kb, question)
        began = time.perf_counter()
        draft = self._draft(kb, question, found)
        confidence = probability(draft.evidence) if draft.quotes else 0.0
        citations = self._cite(kb, draft.quotes) if confidence >= THRESHOLD else ()
        text = _compose(citations) if citations else _nothing(question.text)
        answering = time.perf_counter() - began
        return Answer(
            text=text,
            citations=citations,
            hits=found.hits,
            abstained=not citations,
            confidence=confidence,
            model=self._answerer.name,
            usage=Usage(draft.considered, len(citations)),
            timings={
                **found.timings,
                "answer": answering,
                "total": found.timings["total"] + answering,
            },
        )

    def evidence(self, kb: KnowledgeBase, question: Question) -> Evidence:
        """What an answer to this question would be judged by."""
        return self._draft(kb, question, self._search(kb, question)).evidence

    def _search(self, kb: KnowledgeBase, question: Question) -> Found:
        query = Query(question.text, question.k, filter=question.filter)
        return self._searcher.search(kb, query)

    def _draft(self, kb: KnowledgeBase, question: Question, found: Found) -> Draft:
        postings = self._stores.lexical(kb.generation.id)
        return self._answerer.draft(question.text, found.hits, postings)

    def _cite(self, kb: KnowledgeBase, quotes: tuple[Quote, ...]) -> tuple[Citation, ...]:
        """Footnotes for the quotes; one whose document was deleted meanwhile gets none."""
        citations: list[Citation] = []
        for quote in quotes:
            chunk = quote.hit.chunk
            try:
                document = self._documents.get(kb, chunk.document_id, chunk.version)
            except DocumentNotFound:
                continue
            marker = len(citations) + 1
            citations.append(cite(document, quote.start, quote.end, marker, quote.support))
        return tuple(citations)


def _compose(citations: tuple[Citation, ...]) -> str:
    """The quotes, a line each, with their markers; white space as a reader wants it."""
    return "\n".join(f"{' '.join(c.quote.split())} [{c.marker}]" for c in citations)


def _nothing(question: str) -> str:
    """The abstention, in the language of the question as far as its script tells."""
    return _NOTHING_ZH if any("\u4e00" <= c <= "\u9fff" for c in question) else _NOTHING_EN
