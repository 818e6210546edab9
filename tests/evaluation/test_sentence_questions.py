"""Sentences of the text as questions: what is found is never the sentence itself."""

import pytest

from evaluation.errors import DatasetError
from evaluation.own_measuring import configurations, measure
from evaluation.sentence_questions import sentence_set
from evaluation.test_set import TestSet
from retrieval.types import Mode
from tests.evaluation.own import filled, many, silent
from tests.retrieval.library import Library


def test_the_gold_of_a_sentence_is_its_chunk(library: Library) -> None:
    kb = filled(library)
    made = sentence_set(library.engine, kb, 50, 0)
    texts = {key: made.questions[key] for key in made.items}
    assert {"运费险的理赔时限是七天，逾期不予受理。", "The office serves tea at four."} <= set(
        texts.values()
    )
    for key, question in texts.items():
        [gold] = made.gold[key]
        document = library.engine.documents.named(kb, gold.document)
        text = library.engine.documents.get(kb, document).text
        assert question in text[gold.start : gold.end]
        assert made.grades[key] == {gold.document: 1}
    assert "People don't ask like that" in made.note


def test_what_an_ordinary_search_would_find_at_once_has_to_be_found_by_its_rest(
    library: Library,
) -> None:
    kb = filled(library)
    asked = configurations(kb)
    made = sentence_set(library.engine, kb, 50, 0)
    honest = measure(library.engine, kb, made, asked, silent)
    plain = TestSet("plain", (), made.questions, made.grades, made.gold)
    naive = measure(library.engine, kb, plain, asked, silent)
    for fair, flattered in zip(honest, naive, strict=True):
        assert flattered.mean("hit@1") == 1.0
        assert fair.mean("hit@1") < 1.0


def test_a_chunk_that_shares_no_word_is_not_found_by_words(library: Library) -> None:
    library.add("alone", "Zebras graze peacefully. 狮子在夜里咆哮不止，声音很大。")
    made = sentence_set(library.engine, library.kb, 2, 0)
    assert made.items
    runs = measure(library.engine, library.kb, made, configurations(library.kb), silent)
    dense, lexical, hybrid = (one.run.retrieved for one in runs)
    for key in made.items:
        assert lexical[key] == ()
        assert [one.document for one in dense[key]] == ["alone"]
        assert [one.document for one in hybrid[key]] == ["alone"]


def test_runs_differ_by_their_fusion_alone(library: Library) -> None:
    kb = many(library, 12)
    said = ["words: weight=0", "sense: weight=1", "lexical: mode=lexical", "dense: mode=dense"]
    made = sentence_set(library.engine, kb, 20, 0)
    runs = measure(library.engine, kb, made, configurations(kb, said), silent)
    words, sense, lexical, dense = runs
    assert len(made.items) == 20
    assert [one.values["span recall@5"] for one in (words, sense)] == [
        one.values["span recall@5"] for one in (lexical, dense)
    ]
    assert lexical.mean("span recall@5") > 0.0
    assert all(
        len({(one.document, one.start) for one in found}) == len(found)
        and [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        for run in runs
        for found in run.run.retrieved.values()
    )


@pytest.mark.parametrize("text", [None, "One short sentence alone."])
def test_a_text_that_no_question_can_be_made_of_is_said_to_be_one(
    library: Library, text: str | None
) -> None:
    if text:
        library.add("short", text)
    with pytest.raises(DatasetError, match="'library' has too little text"):
        sentence_set(library.engine, library.kb, 200, 0)


def test_modes_are_those_that_are_asked_for(library: Library) -> None:
    assert [one.mode for one in configurations(library.kb)] == [
        Mode.DENSE,
        Mode.LEXICAL,
        Mode.HYBRID,
    ]
