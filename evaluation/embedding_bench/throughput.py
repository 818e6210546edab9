"""Rounds: every target embeds the same texts in turns, so that what else the machine does meets
all of them alike.
"""

from collections.abc import Callable, Sequence

from evaluation.embedding_bench.field import Field
from evaluation.embedding_bench.texts import TextSet

Seconds = dict[tuple[str, str], list[float]]
"""Of each round, by the names of target and text set."""


def rounds(
    field: Field, sets: Sequence[TextSet], count: int, watch: Callable[[int], None]
) -> Seconds:
    """How long each target takes for each set, round by round: A B C, B C A, C A B."""
    found: Seconds = {}
    done = 0
    for turn in range(count):
        for texts in sets:
            for one in field.turns(turn):
                embedded = field.attempt(one, lambda each, texts=texts: each.embed(texts))  # type: ignore[misc]
                if embedded is not None:
                    found.setdefault((one.target.name, texts.name), []).append(embedded.seconds)
                done += 1
                watch(done)
    return found
