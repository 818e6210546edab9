"""The second look: a reranker orders the best candidates anew, as many as there is time for."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.ports import Reranker


@dataclass(frozen=True, slots=True)
class Reranking:
    """A reranker, how many candidates it may see, and for how many seconds it may take a further
    batch of them.
    """

    reranker: Reranker
    depth: int = 50
    seconds: float = 2.0

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """The scores of as many of the first texts as there is time for; at least of a batch."""
        until = time.monotonic() + self.seconds
        found: list[float] = []
        while len(found) < len(texts) and (not found or time.monotonic() < until):
            found += self.reranker.scores(
                query, texts[len(found) : len(found) + self.reranker.batch]
            )
        return found
