"""What vectors are worth in search: each document as one vector, all of them compared."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from evaluation.configuration import Configuration
from evaluation.embedding_bench.figures import Quality
from evaluation.embedding_bench.participants import Participant
from evaluation.embedding_bench.texts import TextSet
from evaluation.judging import Judged, judge
from evaluation.runs import DEPTH, Retrieved, Run
from evaluation.significance import paired
from evaluation.test_set import TestSet
from retrieval.embedding.unit import to_unit
from retrieval.types import Vectors

METRIC = "nDCG@10"
_PART = 256  # texts: a step of the progress bar


def embedded_in_parts(
    participant: Participant, texts: Sequence[str], watch: Callable[[int], None]
) -> Vectors:
    """Vectors of many texts; what is watched is how many are done. Raises TargetFailed."""
    found = []
    for at in range(0, len(texts), _PART):
        part = TextSet(f"part {at}", tuple(texts[at : at + _PART]))
        embedded = participant.embed(part, keep=True)
        if embedded.vectors is not None:
            found.append(embedded.vectors)
        watch(min(at + _PART, len(texts)))
    return np.concatenate(found)


def judged(
    test_set: TestSet, name: str, ids: Sequence[str], documents: Vectors, questions: Vectors
) -> Judged:
    """The run of exact search by cosine; `ids` are of the documents, questions as in the set."""
    scores = to_unit(questions) @ to_unit(documents).T
    retrieved: dict[str, tuple[Retrieved, ...]] = {}
    for key, row in zip(test_set.questions, scores, strict=True):
        best = np.argsort(-row, kind="stable")[:DEPTH].tolist()
        retrieved[key] = tuple(Retrieved(ids[at], 0, 0, float(row[at])) for at in best)
    return judge(Run(test_set.name, Configuration(name, whole=True), retrieved, {}), test_set)


def qualities(runs: Mapping[str, Judged], first: str) -> dict[str, Quality]:
    """Of each target, by name."""
    found = {}
    for name, one in runs.items():
        difference = None
        if name != first and first in runs:
            before, after = runs[first].values[METRIC], one.values[METRIC]
            difference = paired([after[key] for key in before], list(before.values()))
        found[name] = Quality(one.interval(METRIC), difference)
    return found
