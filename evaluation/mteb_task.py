"""A retrieval set of this machine as a task of MTEB. Needs the extra `mteb`."""

import hashlib
import json
from typing import Any

from datasets import Dataset
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
from mteb.abstasks.task_metadata import TaskMetadata

from evaluation.test_set import TestSet

MAIN_SCORE = "ndcg_at_10"
SPLIT = "test"
_LANGUAGE = "und-Zyyy"  # not told: BCP 47's language and ISO 15924's script for that


def task_of(test_set: TestSet, name: str) -> AbsTaskRetrieval:
    """The task of that name, whose revision is a digest of the set. Nothing is downloaded.

    As with `footnote eval retrieval --whole`, a document is its title and text, one without a
    text isn't there, and a question's own document isn't found unless it is judged.
    """

    class SetTask(AbsTaskRetrieval):
        metadata = _metadata(test_set, name)
        ignore_identical_ids = True

        def load_data(self, num_proc: int | None = None, **_more: Any) -> None:  # noqa: ARG002
            self.dataset = {"default": {SPLIT: _data(test_set)}}
            self.data_loaded = True

    return SetTask()


def _metadata(test_set: TestSet, name: str) -> TaskMetadata:
    judged = [test_set.questions, {key: test_set.grades[key] for key in test_set.questions}]
    decides = test_set.digest + json.dumps(judged, sort_keys=True)
    return TaskMetadata(
        name=name,
        description=f"The set {test_set.name}, read from a folder.",
        dataset={
            "path": f"local/{test_set.name}",
            "revision": hashlib.sha256(decides.encode()).hexdigest()[:40],
        },
        type="Retrieval",
        category="t2t",
        eval_splits=[SPLIT],
        eval_langs=[_LANGUAGE],
        main_score=MAIN_SCORE,
    )


def _data(test_set: TestSet) -> RetrievalSplitData:
    documents = [entry for entry in test_set.documents if entry.text.strip()]
    names = {key: _name(test_set, key) for key in test_set.questions}
    return RetrievalSplitData(
        corpus=Dataset.from_dict(
            {
                "id": [entry.id for entry in documents],
                "title": [entry.title for entry in documents],
                "text": [entry.text for entry in documents],
            }
        ),
        queries=Dataset.from_dict(
            {"id": list(names.values()), "text": list(test_set.questions.values())}
        ),
        relevant_docs={name: dict(test_set.grades[key]) for key, name in names.items()},
        top_ranked=None,
    )


def _name(test_set: TestSet, key: str) -> str:
    """A question's id in the task: another where its own document is judged, as MTEB leaves out
    any document of the same id.
    """
    return f"question {key}" if key in test_set.grades[key] else key
