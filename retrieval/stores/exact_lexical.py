"""BM25 in plain Python: the reference that the lexical index is tested against."""

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from retrieval.analysis import analyse
from retrieval.bm25 import bm25, idf
from retrieval.ports import Posting, Scored
from retrieval.question import term_weights


class ExactLexicalStore:
    """Postings in memory, each scored for each query."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._terms: dict[str, Counter[str]] = {}
        self._documents: dict[str, str] = {}

    def upsert(self, postings: Sequence[Posting]) -> None:
        with self._lock:
            for posting in postings:
                self._terms[posting.id] = Counter(analyse(posting.text))
                self._documents[posting.id] = posting.document_id

    def delete(self, ids: Sequence[str]) -> None:
        with self._lock:
            for id_ in ids:
                self._terms.pop(id_, None)
                self._documents.pop(id_, None)

    def query(self, text: str, k: int, documents: Collection[str] | None = None) -> list[Scored]:
        with self._lock:
            scored = self._scored(term_weights(text))
            allowed = [
                hit for hit in scored if documents is None or self._documents[hit.id] in documents
            ]
        return sorted(allowed, key=lambda hit: (-hit.score, hit.id))[: max(k, 0)]

    def frequencies(self, terms: Collection[str]) -> dict[str, int]:
        with self._lock:
            return {term: self._frequency(term) for term in terms}

    def count(self) -> int:
        return len(self._terms)

    def ids(self) -> set[str]:
        return set(self._terms)

    def _frequency(self, term: str) -> int:
        return sum(term in counts for counts in self._terms.values())

    def _scored(self, terms: Mapping[str, float]) -> list[Scored]:
        total = len(self._terms)
        weights = {term: share * idf(self._frequency(term), total) for term, share in terms.items()}
        average = sum(counts.total() for counts in self._terms.values()) / max(len(self._terms), 1)
        return [
            Scored(id_, bm25(counts, weights, average))
            for id_, counts in self._terms.items()
            if not weights.keys().isdisjoint(counts)
        ]
