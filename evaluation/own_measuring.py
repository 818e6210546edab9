"""Runs over a knowledge base as it stands: the live index, and what can differ without another."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from evaluation.beir import Entry
from evaluation.configuration import Configuration, check_names
from evaluation.errors import ConfigurationError
from evaluation.judging import Judged, judge
from evaluation.measuring import Track
from evaluation.report.content import METRIC
from evaluation.report.failures import failures
from evaluation.runs import Run, Search, search_of
from evaluation.sentence_questions import SentenceSet, search_of_sought, sought_of
from evaluation.test_set import TestSet
from retrieval.engine import Engine
from retrieval.errors import DocumentNotFound
from retrieval.types import KnowledgeBase, Mode

_MODES = (Mode.DENSE, Mode.LEXICAL, Mode.HYBRID)

_SearchOf = Callable[[KnowledgeBase, Configuration], Search]
"""Makes a search by the keys of questions; the knowledge base has the settings of the run."""


def configurations(kb: KnowledgeBase, said: Sequence[str] = ()) -> list[Configuration]:
    """The runs that were asked for, by default each leg and both, fused as the knowledge base is.

    What isn't said of a run is as in the knowledge base. Raises ConfigurationError, also for what
    another index would be needed for.
    """
    base = Configuration.of(kb)
    if not said:
        return [replace(base, name=mode.value, mode=mode) for mode in _MODES]
    found = [Configuration.parse(text, base) for text in said]
    check_names(found)
    for one in found:
        if one.whole or one.index != base.index:
            raise ConfigurationError(
                f"The run {one.name!r} needs another index than {kb.name!r} has: model, tokens, "
                f"overlap and whole can't differ here. `footnote reindex` changes them."
            )
    return found


def measure(
    engine: Engine,
    kb: KnowledgeBase,
    test_set: TestSet,
    asked: Sequence[Configuration],
    track: Track,
) -> list[Judged]:
    """Each configuration's run, judged.

    Questions are searched for as users do, but for those that are sentences of the text.
    """
    if isinstance(test_set, SentenceSet):
        search_by_key = _sought(engine, kb, test_set, track)
    else:
        search_by_key = _searched(engine, test_set)
    found = []
    for one in asked:
        settings = replace(kb.settings, fusion=one.fusion, dense_weight=one.weight)
        watch = track(one.name, len(test_set.questions))
        search = search_by_key(replace(kb, settings=settings), one)
        found.append(judge(_run(test_set, one, search, watch), test_set))
    return found


def _searched(engine: Engine, test_set: TestSet) -> _SearchOf:
    def search_by_key(kb: KnowledgeBase, configuration: Configuration) -> Search:
        search = search_of(engine, kb, configuration)
        return lambda key: search(test_set.questions[key])

    return search_by_key


def _sought(engine: Engine, kb: KnowledgeBase, test_set: SentenceSet, track: Track) -> _SearchOf:
    """The legs search once for all configurations."""
    sought = sought_of(engine, kb, test_set, track("candidates", len(test_set.items)))
    return lambda as_set, configuration: search_of_sought(engine, as_set, configuration, sought)


def _run(
    test_set: TestSet,
    configuration: Configuration,
    search: Search,
    on_progress: Callable[[int], None],
) -> Run:
    retrieved, seconds = {}, {}
    for done, key in enumerate(test_set.questions, start=1):
        spans, seconds[key] = search(key)
        retrieved[key] = tuple(spans)
        on_progress(done)
    return Run(test_set.name, configuration, retrieved, seconds)


def with_texts(engine: Engine, kb: KnowledgeBase, test_set: TestSet, last: Judged) -> TestSet:
    """The set with those of its documents that a report on the last run shows failures by."""
    shown = {uri for one in failures(test_set, last, METRIC) for uri in one.documents}
    entries = (_entry(engine, kb, uri) for uri in sorted(shown))
    return replace(test_set, documents=tuple(entry for entry in entries if entry))


def _entry(engine: Engine, kb: KnowledgeBase, uri: str) -> Entry | None:
    """None of a document that was deleted meanwhile."""
    try:
        document = engine.documents.get(kb, engine.documents.named(kb, uri))
    except DocumentNotFound:
        return None
    return Entry(uri, document.title, document.text)
