"""How well the legs and their fusion rank the documents of a retrieval set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from evaluation.beir import Dataset
from evaluation.metrics import ndcg, recall
from retrieval.engine import Engine
from retrieval.search import Query
from retrieval.types import Hit, KnowledgeBase, Mode

_CHUNKS = 100  # enough to hold ten documents, however many of their chunks are found


@dataclass(frozen=True, slots=True)
class Score:
    """Means over the queries of a set."""

    mode: Mode
    ndcg_10: float
    recall_10: float
    recall_100: float


def measure(
    engine: Engine, kb: KnowledgeBase, dataset: Dataset, on_progress: Callable[[int], None]
) -> list[Score]:
    """The scores of each mode on a set whose corpus is in the knowledge base."""
    scores: list[Score] = []
    done = 0
    for mode in (Mode.DENSE, Mode.LEXICAL, Mode.HYBRID):
        rankings: dict[str, list[str]] = {}
        for key, text in dataset.queries.items():
            found = engine.searcher.search(kb, Query(text, _CHUNKS, mode))
            rankings[key] = documents_of(found.hits, key, dataset.qrels[key])
            done += 1
            on_progress(done)
        scores.append(_score(mode, rankings, dataset.qrels))
    return scores


def documents_of(hits: Sequence[Hit], query: str, grades: Mapping[str, int]) -> list[str]:
    """The documents of hits in the order of their best chunk.

    Where queries come from the corpus itself, a query's own text is not counted as found, unless
    it is judged.
    """
    found = dict.fromkeys(hit.uri for hit in hits)
    return [uri for uri in found if uri != query or uri in grades]


def _score(
    mode: Mode,
    rankings: Mapping[str, Sequence[str]],
    qrels: Mapping[str, Mapping[str, int]],
) -> Score:
    return Score(
        mode,
        fmean(ndcg(ranking, qrels[key], 10) for key, ranking in rankings.items()),
        fmean(recall(ranking, qrels[key], 10) for key, ranking in rankings.items()),
        fmean(recall(ranking, qrels[key], 100) for key, ranking in rankings.items()),
    )
