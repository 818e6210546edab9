from itertools import islice

import pytest

from evaluation.beir import Entry
from evaluation.errors import DatasetError
from evaluation.serving_bench.wording import documents, questions

CORPUS = (Entry("1", "Tea", "It is at four."), Entry("2", "", "  "), Entry("3", "", "No title."))


def test_no_question_is_asked_twice() -> None:
    asked = list(islice(questions(["When?", "Why?"], 7, as_they_are=False), 100))
    assert asked[:3] == ["When? 7", "Why? 8", "When? 9"]
    assert len(set(asked)) == 100


def test_questions_may_be_asked_as_they_are() -> None:
    asked = list(islice(questions(["When?", "Why?"], 7, as_they_are=True), 3))
    assert asked == ["When?", "Why?", "When?"]


def test_documents_are_those_of_the_set_and_then_copies() -> None:
    sent = list(islice(documents(CORPUS, ""), 6))
    assert [(one.title, one.text) for one in sent[:2]] == [
        ("Tea", "It is at four."),
        ("", "No title."),
    ]
    assert (sent[2].title, sent[2].text) == ("copy 1 Tea", "copy 1: It is at four.")
    assert len({one.uri for one in sent}) == len({one.text for one in sent}) == 6


def test_documents_of_a_run_are_of_no_other() -> None:
    first, second = (list(islice(documents(CORPUS, run), 4)) for run in ("a", "b"))
    assert {one.uri for one in first}.isdisjoint(one.uri for one in second)
    assert {one.text for one in first}.isdisjoint(one.text for one in second)
    assert all(one.uri.startswith("footnote-bench/a/") for one in first)


def test_a_set_without_texts_is_refused() -> None:
    with pytest.raises(DatasetError, match="No document of the set has a text"):
        documents(CORPUS[1:2], "")
