"""Measures of a knowledge base as it stands."""

import pytest

from evaluation.errors import ConfigurationError
from evaluation.own_measuring import configurations, measure, with_texts
from evaluation.own_questions import OwnQuestion, feedback_set, given_set
from evaluation.report.content import report_on
from retrieval.fusion import Fusion
from retrieval.types import Chunking, KnowledgeBaseSettings, Mode
from tests.evaluation.own import TEXTS, filled, said, silent
from tests.retrieval.library import Library


def test_the_runs_are_those_of_the_knowledge_base(library: Library) -> None:
    settings = KnowledgeBaseSettings(Chunking(64, 8), Fusion.RECIPROCAL_RANKS, 0.75)
    kb, _ = library.engine.create("set", settings)
    found = configurations(kb)
    assert [one.name for one in found] == ["dense", "lexical", "hybrid"]
    assert {(one.fusion, one.weight, one.tokens) for one in found} == {
        (Fusion.RECIPROCAL_RANKS, 0.75, 64)
    }
    [own] = configurations(kb, ["mine: weight=0.25, tokens=64, overlap=8"])
    assert (own.mode, own.fusion, own.weight) == (Mode.HYBRID, Fusion.RECIPROCAL_RANKS, 0.25)


@pytest.mark.parametrize(
    "other", ["model=other", "tokens=128", "overlap=0", "mode=dense, whole=yes"]
)
def test_what_needs_another_index_is_refused(library: Library, other: str) -> None:
    with pytest.raises(ConfigurationError, match="'it' needs another index than 'library' has"):
        configurations(library.kb, [f"it: {other}"])


def test_runs_of_one_name_are_refused(library: Library) -> None:
    with pytest.raises(ConfigurationError, match="these are a, a"):
        configurations(library.kb, ["a: mode=dense", "a: mode=lexical"])


def test_questions_are_searched_for_as_users_do(library: Library) -> None:
    kb = filled(library)
    start = TEXTS["tea"].index("Biscuits")
    given = [
        OwnQuestion("1", "运费险的理赔时限", "运费 险"),
        OwnQuestion("2", "Where are biscuits kept?", "tea", start, len(TEXTS["tea"])),
        OwnQuestion("3", "warranty of the Kestrel", "tea", id="wrong"),
    ]
    test_set = given_set(library.engine, kb, given)
    runs = measure(library.engine, kb, test_set, configurations(kb), silent)
    for one in runs:
        first, second, wrong = test_set.questions
        assert (one.values["hit@1"][first], one.values["hit@1"][second]) == (1.0, 1.0)
        assert one.values["hit@1"][wrong] == 0.0
        assert one.values["span recall@5"] == {second: 1.0}  # the others say nothing of spans
    with_failures = with_texts(library.engine, kb, test_set, runs[-1])
    assert {entry.id for entry in with_failures.documents} == {"tea", "warranty", "运费 险"}
    report = report_on(with_failures, runs)
    assert (report.documents, report.questions) == (3, 3)
    [failure] = report.failures
    assert failure.gold[0].text == TEXTS["tea"]
    assert failure.instead[0].document == "warranty"


def test_only_the_texts_that_are_shown_are_loaded(library: Library) -> None:
    kb = filled(library)
    said(library, "When does the office serve tea?", "tea")
    test_set = feedback_set(library.engine, kb)
    runs = measure(library.engine, kb, test_set, configurations(kb), silent)
    assert with_texts(library.engine, kb, test_set, runs[-1]).documents == ()


def test_a_document_that_is_deleted_meanwhile_has_no_text(library: Library) -> None:
    kb = filled(library)
    said(library, "warranty of the Kestrel", "tea")
    test_set = feedback_set(library.engine, kb)
    runs = measure(library.engine, kb, test_set, configurations(kb), silent)
    library.engine.indexer.remove(kb, library.engine.documents.named(kb, "tea"))
    shown = with_texts(library.engine, kb, test_set, runs[-1])
    assert {entry.id for entry in shown.documents} == {"warranty", "运费 险"}


def test_the_settings_of_the_knowledge_base_stay_as_they_are(library: Library) -> None:
    kb = filled(library)
    given = [OwnQuestion("1", "tea", "tea")]
    test_set = given_set(library.engine, kb, given)
    measure(
        library.engine, kb, test_set, configurations(kb, ["it: fusion=rrf, weight=0.1"]), silent
    )
    assert library.engine.knowledge_bases.get(kb.name) == kb
