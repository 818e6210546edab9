"""Batches of texts of like length, so that little is padded."""

from collections.abc import Iterator, Sequence

from retrieval.embedding.tokens import TokenizedText


def batches_by_length(texts: Sequence[TokenizedText], budget: int) -> Iterator[list[int]]:
    """The places of all texts in rising length, as batches of at most `budget` padded tokens
    (longest x texts), but of one text at least.
    """
    batch: list[int] = []
    for at in sorted(range(len(texts)), key=lambda at: texts[at].count):
        if batch and texts[at].count * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
