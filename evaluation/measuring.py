"""Runs of several configurations over a set, each index made once and kept for the next time."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from evaluation.alignment import Alignment
from evaluation.configuration import Configuration, check_names
from evaluation.indexing import NAME as _NAME
from evaluation.indexing import indexed
from evaluation.judging import Judged, judge
from evaluation.runs import DEPTH, Retrieved, RunStore, Search, search_of
from evaluation.test_set import TestSet
from retrieval.engine import Engine
from retrieval.types import KnowledgeBase

_ALL = 1_000_000_000  # documents

Track = Callable[[str, int], Callable[[int], None]]
"""Told what begins and of how many steps; what it returns is told how many are done."""


def measure(
    test_set: TestSet, configurations: Sequence[Configuration], folder: Path, track: Track
) -> list[Judged]:
    """Each configuration's run over the set, judged; runs and indexes are kept in the folder.

    Raises ConfigurationError, and what ingestion raises of a document that can't be read.
    """
    check_names(configurations)
    store = RunStore(folder / "runs")
    found: dict[str, Judged] = {}
    for _, group in groupby(sorted(configurations, key=_index), _index):
        alike = list(group)
        with _opened(test_set, alike[0], folder, track) as engine:
            placed = _placed(test_set, engine)
            for one in alike:
                kb, _ = engine.create(_NAME, one.settings)
                watch = track(f"{test_set.name}, {one.name}", len(test_set.questions))
                run = store.make(test_set, one, _search(engine, kb, one, test_set), watch)
                found[one.name] = judge(run, placed)
    return [found[one.name] for one in configurations]


def _index(configuration: Configuration) -> str:
    return json.dumps(configuration.index)


@contextmanager
def _opened(
    test_set: TestSet, configuration: Configuration, folder: Path, track: Track
) -> Iterator[Engine]:
    decides = json.dumps([test_set.digest, configuration.index])
    name = hashlib.sha256(decides.encode()).hexdigest()[:12]
    watch = track(f"{test_set.name}, documents", len(test_set.documents))
    data = folder / "indexes" / f"{test_set.name}-{name}"
    model, settings = configuration.model, configuration.settings
    with indexed(test_set.documents, model, watch, data, settings) as (engine, _):
        yield engine


def _placed(test_set: TestSet, engine: Engine) -> TestSet:
    """The set with its spans where they are in the texts as they were stored."""
    if not test_set.gold:
        return test_set
    kb = engine.open(_NAME)
    stored = {summary.uri: summary.id for summary in engine.documents.list(kb, _ALL)}
    needed = {span.document for spans in test_set.gold.values() for span in spans}
    alignments = {
        entry.id: Alignment.of(
            entry.id, entry.text, engine.documents.get(kb, stored[entry.id]).text
        )
        for entry in test_set.documents
        if entry.id in needed
    }
    gold = {
        key: tuple(alignments[span.document].place(span) for span in spans)
        for key, spans in test_set.gold.items()
    }
    return replace(test_set, gold=gold)


def _search(
    engine: Engine, kb: KnowledgeBase, configuration: Configuration, test_set: TestSet
) -> Search:
    if not configuration.whole:
        return search_of(engine, kb, configuration)
    return _whole_search(engine, kb, test_set)


def _whole_search(engine: Engine, kb: KnowledgeBase, test_set: TestSet) -> Search:
    """Title and text of each document as one vector, cut at the window, all of them compared."""
    embedder = engine.embedders.of(kb)
    prefix = embedder.count_tokens([""])[0] - embedder.tokenize_raw([""])[0].count
    entries = [entry for entry in test_set.documents if entry.text.strip()]
    texts = [f"{entry.title} {entry.text}".strip() for entry in entries]
    beginnings = [embedder.fit(text, embedder.identity.window - prefix).text for text in texts]
    vectors = engine.cached_embedder(kb).embed(beginnings).vectors

    def search(text: str) -> tuple[Sequence[Retrieved], float]:
        scores = vectors @ embedder.embed_query(text)
        best = np.argsort(-scores, kind="stable")[:DEPTH].tolist()
        found = [
            Retrieved(entries[at].id, 0, len(entries[at].text), float(scores[at])) for at in best
        ]
        return found, 0.0

    return search
