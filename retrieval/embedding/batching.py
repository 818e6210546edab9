"""Batches of texts of like length, so that little is padded."""

from collections.abc import Iterator, Sequence

from retrieval.embedding.tokens import TokenizedText, padded
from retrieval.processor import available_cores

# With all cores on one batch, any other work on one of them stops all: on two cores ingestion came
# to 0.70 of the model's own rate, with a batch a core to more.
_AT_ONCE = 4


def batches_at_once() -> int:
    """How many run side by side on a CPU, each on its share of the cores."""
    return min(_AT_ONCE, available_cores())


def batches_by_length(texts: Sequence[TokenizedText], budget: int) -> Iterator[list[int]]:
    """The places of all texts in rising length, as batches of at most `budget` tokens
    (longest x texts), but of one text at least, and each of one `padded` length.
    """
    batch: list[int] = []
    for at in sorted(range(len(texts)), key=lambda at: texts[at].count):
        count = texts[at].count
        if batch and (
            count * (len(batch) + 1) > budget or padded(count) > padded(texts[batch[0]].count)
        ):
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
