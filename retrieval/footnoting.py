"""Footnotes for the sentences of a model: each mark is verified, or taken out and counted."""

from collections.abc import Sequence

from retrieval.citations import cite
from retrieval.documents import Documents
from retrieval.errors import DocumentNotFound
from retrieval.marks import Claim
from retrieval.types import Citation, Hit, KnowledgeBase, Outcome, Piece, Statement
from retrieval.verifying.verifier import Finding, Support, Verifier


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
        self._statements: list[Statement] = []
        self.unverified = 0
        """Marks that were taken out."""

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._citations)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What became of each sentence."""
        return tuple(self._statements)

    @property
    def unsupported(self) -> int:
        """Sentences without a footnote."""
        return sum(one.outcome is not Outcome.VERIFIED for one in self._statements)

    def piece(self, claim: Claim) -> Piece:
        """What of a sentence wasn't said, with the footnotes that hold. An unmarked one gets its
        own if there is. What says nothing is no statement, and loses its marks.
        """
        if claim.is_silent:
            self.unverified += len(claim.marks)
            return Piece(claim.unsaid + claim.trail)
        findings = [self._marked(claim.text, mark) for mark in claim.marks]
        found = [self._citation(one) for one in findings]
        removed = found.count(None)
        self.unverified += removed
        if removed == len(found):
            findings.append(self._verifier.verify(claim.text, self._passages))
            found.append(self._citation(findings[-1]))
        distinct = tuple(dict.fromkeys(citation for citation in found if citation))
        self._statements.append(_statement(claim.text, findings, distinct, removed))
        marks = "".join(f"[{citation.marker}]" for citation in distinct)
        return Piece(claim.unsaid + f" {marks}".rstrip() + claim.trail, distinct)

    def _marked(self, text: str, mark: int) -> Finding:
        """What the passage that a mark stands for says to a sentence; there may be none."""
        passages = self._passages[mark - 1 : mark] if mark >= 1 else ()
        return self._verifier.verify(text, passages)

    def _citation(self, finding: Finding) -> Citation | None:
        """The footnote of what was verified; the same again for the same span. None if nothing was,
        or its document has gone.
        """
        support = finding.support
        if finding.outcome is not Outcome.VERIFIED or support is None:
            return None
        chunk = support.hit.chunk
        for known in self._citations:
            place = (known.document_id, known.version, known.start, known.end)
            if place == (chunk.document_id, chunk.version, support.start, support.end):
                return known
        return self._new(support)

    def _new(self, support: Support) -> Citation | None:
        chunk = support.hit.chunk
        try:
            document = self._documents.get(self._kb, chunk.document_id, chunk.version)
        except DocumentNotFound:
            return None
        marker = len(self._citations) + 1
        citation = cite(document, support.start, support.end, marker, support.score)
        self._citations.append(citation)
        return citation


def _statement(
    text: str, findings: Sequence[Finding], citations: Sequence[Citation], removed: int
) -> Statement:
    """By the best that was found. A verified one whose document has gone has no support left."""
    markers = tuple(citation.marker for citation in citations)
    if citations:
        return Statement(text, Outcome.VERIFIED, markers, removed)
    against = next((one for one in findings if one.outcome is Outcome.CONTRADICTED), None)
    if against is None:
        return Statement(text, Outcome.UNSUPPORTED, (), removed)
    told = tuple(f"{one.kind}: {one.said}".rstrip(": ") for one in against.differences)
    return Statement(text, Outcome.CONTRADICTED, (), removed, told)
