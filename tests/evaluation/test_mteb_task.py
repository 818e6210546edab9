"""A set as MTEB is given it; what it makes of it is in test_mteb_measuring."""

from dataclasses import replace

import pytest

pytest.importorskip("mteb")

from evaluation.beir import Entry
from evaluation.mteb_task import task_of
from evaluation.test_set import TestSet

DOCUMENTS = (Entry("d1", "A title", "A text"), Entry("d2", "Blank", " \n"), Entry("q2", "", "运费"))
SET = TestSet(
    "set [red]",
    DOCUMENTS,
    {"q1": "one?", "q2": "two?"},
    {"q1": {"d1": 2, "gone": 1}, "q2": {"q2": 1}, "q3": {"d1": 1}},
    {},
)


def test_the_data_are_those_of_the_set() -> None:
    task = task_of(SET, "set-2")
    task.load_data()
    data = task.dataset["default"]["test"]
    assert data["corpus"].to_list() == [
        {"id": "d1", "title": "A title", "text": "A text"},
        {"id": "q2", "title": "", "text": "运费"},
    ]
    own = "question q2"  # as its own document is judged
    assert data["queries"].to_list() == [{"id": "q1", "text": "one?"}, {"id": own, "text": "two?"}]
    assert data["relevant_docs"] == {"q1": {"d1": 2, "gone": 1}, own: {"q2": 1}}
    assert (task.metadata.name, task.metadata.main_score) == ("set-2", "ndcg_at_10")
    task.unload_data()  # MTEB does so after each task, and reads the name afterwards
    assert task.metadata.name == "set-2"


def test_the_revision_is_a_digest_of_all_that_decides() -> None:
    revision = task_of(SET, "a").metadata.revision
    assert task_of(replace(SET, name="other"), "b").metadata.revision == revision
    for other in (
        replace(SET, documents=DOCUMENTS[:2]),
        replace(SET, questions={**SET.questions, "q1": "uno?"}),
        replace(SET, grades={**SET.grades, "q1": {"d1": 1}}),
    ):
        assert task_of(other, "a").metadata.revision != revision
