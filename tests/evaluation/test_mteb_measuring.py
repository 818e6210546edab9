"""MTEB's own code over sets made here, beside what is measured without it."""

import json
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mteb")

import datasets
import mteb

from evaluation.beir import Entry
from evaluation.embedding_bench.quality import judged
from evaluation.mteb_measuring import Scored, measure
from evaluation.test_set import TestSet
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.hashing import HashingBackend
from retrieval.types import Vectors

NAMES = {
    "nDCG@10": "ndcg_at_10",
    "recall@10": "recall_at_10",
    "recall@100": "recall_at_100",
    "MRR@10": "mrr_at_10",
    "MAP": "map_at_100",
    "P@5": "precision_at_5",
}


class Noise(HashingBackend):
    """Vectors that have nothing to do with each other: no two scores are the same."""

    def vectors(self, texts: Sequence[str]) -> Vectors:
        made = []
        for text in texts:
            seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
            made.append(np.random.default_rng(seed).standard_normal(self.identity.dimension))
        found = np.array(made, dtype=np.float32)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def _set() -> TestSet:
    """Grades, judgements of documents that aren't there, titles, a document without a text,
    questions whose own text is a document: that of q1 is judged, that of q2 isn't.
    """
    chosen = random.Random(1)  # noqa: S311
    documents = [Entry(f"d{n}", f"Title {n}" * (n % 2), f"text {n}") for n in range(150)]
    documents += [Entry("blank", "A title", " "), Entry("q1", "", "? 1"), Entry("q2", "", "? 2")]
    grades = {
        f"q{n}": {f"d{chosen.randrange(160)}": chosen.randrange(4) for _ in range(30)} | {"d7": 1}
        for n in range(20)
    }
    grades["q1"] |= {"q1": 2}
    questions = {key: f"? {key[1:]}" for key in grades}
    return TestSet("noise", tuple(documents), questions, grades, {})


@pytest.fixture
def embedder() -> Iterator[Embedder]:
    with closing(Embedder(Noise())) as embedder:
        yield embedder


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whom this process has tried to reach, even if the error was caught."""
    tried: list[Any] = []

    def refuse(*address: Any, **_more: Any) -> None:
        tried.append(address)
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


def _quietly(_what: str, _total: int) -> Callable[[int], None]:
    return lambda _: None


def _one(embedder: Embedder, test_set: TestSet, folder: Path | None = None) -> Scored:
    [scored] = measure(embedder, [test_set], folder, _quietly)
    return scored


def test_mteb_says_what_footnote_measures_and_reaches_nobody(
    embedder: Embedder, reached: list[Any]
) -> None:
    test_set = _set()
    entries = [entry for entry in test_set.documents if entry.text.strip()]
    documents = embedder.embed_documents([f"{e.title} {e.text}".strip() for e in entries])
    questions = embedder.embed_questions(list(test_set.questions.values()))
    ours = judged(test_set, "whole", [entry.id for entry in entries], documents, questions)
    scored = _one(embedder, test_set)
    assert (scored.questions, scored.documents) == (20, 152)
    assert (scored.cut_questions, scored.cut_documents) == (0, 0)
    for metric, name in NAMES.items():
        assert ours.mean(metric) > 0.01
        assert scored.scores[name] == pytest.approx(ours.mean(metric), abs=2e-5), metric
    assert scored.scores["main_score"] == scored.scores["ndcg_at_10"]
    assert reached == []


def test_a_question_finds_its_own_document_only_where_that_is_judged(embedder: Embedder) -> None:
    """Of equal scores MTEB takes the later id first: that of the document to be left out."""
    documents = (Entry("q1", "", "? 1"), Entry("q2", "", "? 2"), Entry("d", "", "? 2"))
    questions, grades = {"q1": "? 1", "q2": "? 2"}, {"q1": {"q1": 1}, "q2": {"d": 1}}
    scores = _one(embedder, TestSet("own", documents, questions, grades, {})).scores
    assert scores["precision_at_1"] == 1.0


def test_results_are_kept_as_mteb_reads_them_and_never_taken_for_new_ones(
    embedder: Embedder, tmp_path: Path
) -> None:
    test_set = _set()
    first = _one(embedder, test_set, tmp_path)
    assert first.path
    revision = embedder.identity.fingerprint
    assert first.path == tmp_path / "results/footnote__hashing" / revision / "noise.json"
    meta = json.loads((first.path.parent / "model_meta.json").read_text(encoding="utf-8"))
    assert (meta["name"], meta["revision"]) == ("footnote/hashing", revision)
    kept = mteb.TaskResult.from_disk(first.path)
    assert kept.scores["test"][0]["ndcg_at_10"] == first.scores["ndcg_at_10"]
    grades = {key: {"d1": 1} for key in test_set.questions}
    second = _one(embedder, replace(test_set, grades=grades), tmp_path)
    again = mteb.TaskResult.from_disk(first.path)
    assert again.scores["test"][0]["ndcg_at_10"] == second.scores["ndcg_at_10"]
    assert second.scores["ndcg_at_10"] != first.scores["ndcg_at_10"]
    assert again.dataset_revision != kept.dataset_revision


def test_sets_of_one_name_are_two_tasks(embedder: Embedder, tmp_path: Path) -> None:
    seen: list[tuple[str, int, list[int]]] = []

    def track(what: str, total: int) -> Callable[[int], None]:
        seen.append((what, total, []))
        return seen[-1][2].append

    grades = {"q1": {"d1": 1}}
    test_set = TestSet("s", (Entry("d1", "", "tea"),), {"q1": "tea ?"}, grades, {}, note="Odd.")
    found = list(measure(embedder, [test_set, test_set], tmp_path, track))
    assert [(one.task, one.note) for one in found] == [("s", "Odd."), ("s-2", "Odd.")]
    assert {one.path.name for one in found if one.path} == {"s.json", "s-2.json"}
    assert seen == [("s, texts", 2, [1, 2]), ("s-2, texts", 2, [1, 2])]


def test_what_is_no_number_is_none(embedder: Embedder) -> None:
    """A single question has no curve of abstention: MTEB says NaN, which isn't JSON."""
    test_set = TestSet("s", (Entry("d1", "", "tea"),), {"q1": "tea"}, {"q1": {"d1": 1}}, {})
    scores = _one(embedder, test_set).scores
    assert scores["nauc_ndcg_at_10_max"] is None
    json.dumps(scores, allow_nan=False)


def test_the_bars_of_datasets_are_as_they_were(embedder: Embedder) -> None:
    assert not datasets.are_progress_bars_disabled()
    _one(embedder, _set())
    assert not datasets.are_progress_bars_disabled()
