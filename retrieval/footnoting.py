"""Footnotes for the sentences of a model: each mark is verified, or taken out and counted."""

from collections.abc import Sequence

from retrieval.citations import cite
from retrieval.documents import Documents
from retrieval.errors import DocumentNotFound
from retrieval.marks import Claim
from retrieval.types import Citation, Hit, KnowledgeBase, Piece
from retrieval.verification import Support, Verifier


class Footnoting:
    """The footnotes of one answer, numbered in the order in which they come."""

    def __init__(
        self, kb: KnowledgeBase, passages: Sequence[Hit], documents: Documents, verifier: Verifier
    ) -> None:
        self._kb = kb
        self._passages = passages
        self._documents = documents
        self._verifier = verifier
        self._citations: list[Citation] = []
        self.unverified = 0
        """Marks that were taken out."""
        self.unsupported = 0
        """Sentences without a footnote."""

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._citations)

    def piece(self, claim: Claim) -> Piece:
        """The sentence with the footnotes that hold. An unmarked one gets its own if there is."""
        if not claim.text:
            self.unverified += len(claim.marks)
            return Piece(claim.lead + claim.trail)
        found = [self._marked(claim.text, mark) for mark in claim.marks]
        citations = [citation for citation in found if citation]
        self.unverified += len(found) - len(citations)
        if not citations:
            support = self._verifier.support(claim.text, self._passages)
            own = self._citation(support) if support else None
            citations = [own] if own else []
        self.unsupported += not citations
        distinct = tuple(dict.fromkeys(citations))
        marks = "".join(f"[{citation.marker}]" for citation in distinct)
        text = f"{claim.text} {marks}" if marks else claim.text
        return Piece(claim.lead + text + claim.trail, distinct)

    def _marked(self, text: str, mark: int) -> Citation | None:
        """The footnote that a mark stands for, if that passage says what the sentence says."""
        if not 1 <= mark <= len(self._passages):
            return None
        support = self._verifier.support(text, [self._passages[mark - 1]])
        return self._citation(support) if support else None

    def _citation(self, support: Support) -> Citation | None:
        """The footnote of a span; the same again for the same. None if its document has gone."""
        chunk = support.hit.chunk
        for known in self._citations:
            place = (known.document_id, known.version, known.start, known.end)
            if place == (chunk.document_id, chunk.version, support.start, support.end):
                return known
        try:
            document = self._documents.get(self._kb, chunk.document_id, chunk.version)
        except DocumentNotFound:
            return None
        marker = len(self._citations) + 1
        citation = cite(document, support.start, support.end, marker, support.score)
        self._citations.append(citation)
        return citation
