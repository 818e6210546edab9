"""Questions made of the text of a knowledge base, and the searches for what they were taken out of.

A sentence is the question, and its chunk, scored by what is left of it, has to be found: see
`retrieval.known_items` and `retrieval.known_item_search`. People don't ask in sentences of the
text, and other passages may answer too, so figures tell how two configurations compare rather than
how good either is. The legs and their fusion are measured as they are in searches, down to
`POOL` candidates of each; a reranker isn't, for it would read the sentence where it stands.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from evaluation.configuration import Configuration
from evaluation.errors import DatasetError
from evaluation.runs import DEPTH, Retrieved, Search
from evaluation.span_metrics import Span
from evaluation.test_set import TestSet
from retrieval.engine import Engine
from retrieval.known_item_search import Sought
from retrieval.known_items import KnownItem, known_items
from retrieval.legs import Candidates
from retrieval.types import KnowledgeBase, Mode

_UNSEEN = 1  # with a seed of 0 the calibration takes sentences, and weighs the legs by them
_NOTE = (
    "The questions are sentences of the text; what is searched for is the chunk that each was "
    "taken out of, without it. People don't ask like that, and no reranker takes part: the "
    "figures tell how runs compare, not how good one is. Where documents are few, those of spans "
    "tell more."
)


@dataclass(frozen=True, slots=True)
class SentenceSet(TestSet):
    """A set, and the known item of each of its questions."""

    items: Mapping[str, KnownItem] = field(default_factory=dict)


def sentence_set(engine: Engine, kb: KnowledgeBase, count: int, seed: int = 0) -> SentenceSet:
    """At most `count` questions, the same for the same text and seed.

    Raises DatasetError where the text has none.
    """
    items = {
        f"sentence-{number}": item
        for number, item in enumerate(
            known_items(engine.chunks, kb, count, _UNSEEN + seed), start=1
        )
    }
    if not items:
        raise no_text(kb)
    return SentenceSet(
        name=f"{kb.name}, sentences",
        documents=(),
        questions={key: item.question for key, item in items.items()},
        grades={key: {item.origin.uri: 1} for key, item in items.items()},
        gold={
            key: (Span(item.origin.uri, item.origin.chunk.start, item.origin.chunk.end),)
            for key, item in items.items()
        },
        size=engine.documents.count(kb),
        note=_NOTE,
        items=items,
    )


def no_text(kb: KnowledgeBase) -> DatasetError:
    """The error of a knowledge base that no question can be made of."""
    return DatasetError(
        f"{kb.name!r} has too little text to make questions of: no chunk has two sentences. Add "
        f"documents, or measure with questions of your own."
    )


def sought_of(
    engine: Engine,
    kb: KnowledgeBase,
    test_set: SentenceSet,
    on_progress: Callable[[int], None],
) -> dict[str, Sought]:
    """What the legs find for each question; how it is fused is left to a configuration."""
    found: dict[str, Sought] = {}
    searched = engine.known_items.search(kb, list(test_set.items.values()))
    for key, one in zip(test_set.items, searched, strict=True):
        found[key] = one
        on_progress(len(found))
    return found


def search_of_sought(
    engine: Engine, kb: KnowledgeBase, configuration: Configuration, sought: Mapping[str, Sought]
) -> Search:
    """The candidates of a question, by its key, in the order of a configuration's mode.

    `kb` has the settings that they are fused with. No time is told: it isn't a user's search.
    """

    calibration = engine.calibrations.of(kb)

    def search(key: str) -> tuple[Sequence[Retrieved], float]:
        one, mode = sought[key], configuration.mode
        candidates = _of_mode(one.candidates, mode)
        scores = engine.searcher.fused(kb, mode, one.asked, candidates, calibration).scores
        best = list(scores)[:DEPTH]
        passages = engine.chunks.passages(kb, best)
        spans = [
            Retrieved(passage.uri, passage.chunk.start, passage.chunk.end, scores[id_])
            for id_ in best
            if (passage := passages.get(id_))
        ]
        return spans, 0.0

    return search


def _of_mode(found: Candidates, mode: Mode) -> Candidates:
    """Those that the legs of a mode know: a chunk that shares no term isn't found by words."""
    shared = {key: score for key, score in found.lexical.items() if score > 0}
    return replace(
        found,
        dense={} if mode is Mode.LEXICAL else found.dense,
        lexical={} if mode is Mode.DENSE else shared,
    )
