"""Runs over small sets: made once, gone on with, judged by documents and by spans."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluation import runs
from evaluation.configuration import Configuration
from evaluation.errors import ConfigurationError
from evaluation.judging import Judged, check_metric, compare, pooled, recommended
from evaluation.measuring import measure
from evaluation.runs import Retrieved, RunStore
from evaluation.test_set import TestSet, read_set, read_spans
from retrieval.types import Mode
from tests.evaluation.sets import entry, lines, write_set

HYBRID = Configuration("hybrid", model="hashing")


def silent(_what: str, _total: int) -> Callable[[int], None]:
    return lambda _done: None


@pytest.fixture
def small(tmp_path: Path) -> TestSet:
    """Two queries: one finds its document first, one behind the query's own text."""
    corpus = [
        entry("zebra", "Zebras are striped animals."),
        entry("lion", "Lions roar at night."),
        entry("退货", "退货需要在七天内提出。"),
        entry("q2", "退货需要几天"),
    ]
    queries = [entry("q1", "zebras striped animals"), entry("q2", "退货需要几天")]
    qrels = "q1\tzebra\t1\nq1\tgone\t1\nq2\t退货\t2\n"
    return read_set(write_set(tmp_path / "small", corpus, queries, qrels))


def test_documents_are_judged_without_the_question_itself(small: TestSet, tmp_path: Path) -> None:
    modes = [Configuration(mode.value, mode, model="hashing") for mode in Mode]
    found = measure(small, modes, tmp_path / "kept", silent)
    first = 1 / (1 + 1 / math.log2(3))  # the other relevant document isn't in the corpus
    assert [one.run.configuration.name for one in found] == [mode.value for mode in Mode]
    for judged in found:
        assert judged.values["nDCG@10"] == pytest.approx({"q1": first, "q2": 1.0})
        assert judged.values["recall@10"] == {"q1": 0.5, "q2": 1.0}
        assert judged.values["MRR@10"] == {"q1": 1.0, "q2": 1.0}
        assert judged.values["hit@1"] == {"q1": 1.0, "q2": 1.0}
        assert judged.values["P@5"] == {"q1": 0.2, "q2": 0.2}
        assert "span recall@5" not in judged.values
        assert judged.interval("recall@10").mean == 0.75


def test_whole_documents_are_vectors_of_their_beginnings(small: TestSet, tmp_path: Path) -> None:
    whole = Configuration("whole", Mode.DENSE, model="hashing", whole=True)
    [judged] = measure(small, [whole], tmp_path / "kept", silent)
    assert judged.run.ranking("q1", {})[0] == "zebra"
    assert judged.values["recall@10"] == {"q1": 0.5, "q2": 1.0}
    [found] = [one for one in judged.run.retrieved["q1"] if one.document == "zebra"]
    assert (found.start, found.end) == (0, len("Zebras are striped animals."))


@pytest.fixture
def spans(tmp_path: Path) -> TestSet:
    folder = tmp_path / "spans"
    (folder / "docs").mkdir(parents=True)
    text = "Zebras are striped.\r\n\r\n\r\nLions roar at night.\r\n"
    (folder / "docs" / "animals.txt").write_bytes(text.encode())
    start = text.index("Lions")
    rows: list[dict[str, Any]] = [
        {
            "id": "1",
            "question": "Who roars?",
            "doc_id": "animals",
            "start": start,
            "end": start + 20,
        },
        {"id": "2", "question": "Who flies?"},
    ]
    (folder / "questions.jsonl").write_text(lines(*rows), encoding="utf-8")
    return read_spans(folder)


def test_spans_are_judged_where_they_are_stored(spans: TestSet, tmp_path: Path) -> None:
    assert spans.questions == {"1": "Who roars?"}
    [judged] = measure(spans, [HYBRID], tmp_path / "kept", silent)
    [found] = judged.run.retrieved["1"]
    stored = "Zebras are striped.\n\nLions roar at night."
    assert (found.document, found.start, found.end) == ("animals", 0, len(stored))
    assert judged.values["span recall@5"] == {"1": 1.0}
    assert judged.values["span precision@5"] == pytest.approx({"1": 20 / len(stored)})
    assert judged.values["nDCG@10"] == {"1": 1.0}


class Searches:
    """A search that counts, and may break off."""

    def __init__(self, last: int = 1_000) -> None:
        self.asked: list[str] = []
        self._last = last

    def __call__(self, text: str) -> tuple[list[Retrieved], float]:
        if len(self.asked) == self._last:
            raise KeyboardInterrupt
        self.asked.append(text)
        return [Retrieved("zebra", 0, 4, 0.5)], 0.1


def test_a_run_that_was_interrupted_goes_on(small: TestSet, tmp_path: Path) -> None:
    store, told = RunStore(tmp_path), list[int]()
    broken = Searches(last=1)
    with pytest.raises(KeyboardInterrupt):
        store.make(small, HYBRID, broken, lambda _: None)
    path = store.path(small, HYBRID)
    path.write_bytes(path.read_bytes() + b'["q2", 0.1, [["zeb')  # killed while it wrote
    rest = Searches()
    run = store.make(small, HYBRID, rest, told.append)
    assert broken.asked + rest.asked == list(small.questions.values())
    assert told == [1, 2]
    assert run.retrieved == dict.fromkeys(small.questions, (Retrieved("zebra", 0, 4, 0.5),))
    again = Searches()
    assert store.make(small, HYBRID, again, lambda _: None) == run
    assert again.asked == []


def test_a_run_is_made_anew_where_what_decides_it_changes(
    small: TestSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path)
    paths = {
        store.path(small, HYBRID),
        store.path(small, Configuration("hybrid", model="hashing", weight=0.1)),
        store.path(small, Configuration("hybrid", model="hashing", tokens=64)),
    }
    monkeypatch.setattr(runs, "_code", lambda: "other")
    assert store.path(small, HYBRID) not in paths
    assert len(paths) == 3


def judged(values: dict[str, float], name: str = "run") -> Judged:
    run = runs.Run("small", Configuration(name), {}, {})
    return Judged(run, {"nDCG@10": values})


def scores(loss: float, seed: int) -> dict[str, float]:
    """Measures of 200 questions, of which a few differ with the seed."""
    return {
        f"{n}": max(0.0, 0.3 + 0.4 * ((n * 7 + seed) % 10 == 0) + 0.002 * n - loss)
        for n in range(200)
    }


def test_runs_are_compared_question_by_question() -> None:
    base = judged(scores(0.0, 0), "base")
    better, same = judged(scores(-0.05, 0), "better"), judged(scores(0.0, 0), "same")
    found = compare(base, [better, same], "nDCG@10")
    assert [one.name for one in found] == ["better", "same"]
    assert found[0].difference.interval.mean == pytest.approx(0.05)
    assert found[0].p == pytest.approx(2 * found[0].difference.p)  # Holm: of two runs
    assert (found[1].difference.interval.mean, found[1].p) == (0.0, 1.0)
    with pytest.raises(ConfigurationError, match="'MAP' isn't measured"):
        compare(base, [same], "MAP")
    with pytest.raises(ConfigurationError, match="not the same ones"):
        compare(base, [judged({"a": 1.0})], "nDCG@10")


def test_runs_over_several_sets_are_pooled() -> None:
    values = [{"a": 0.1, "b": 0.2}, {"a": 0.3}]
    by_set = [
        [
            Judged(replace(one.run, set_name=f"set {number}"), one.values)
            for one in (judged(of_set, "base"), judged(of_set, "other"))
        ]
        for number, of_set in enumerate(values)
    ]
    base, other = pooled(by_set)
    assert base.values["nDCG@10"] == {"set 0, a": 0.1, "set 0, b": 0.2, "set 1, a": 0.3}
    assert other.run.configuration.name == "other"


def test_the_best_of_what_is_significantly_better_is_recommended() -> None:
    keys = [f"q{number}" for number in range(40)]
    base = judged(dict.fromkeys(keys, 0.5), "base")
    good = judged({key: 0.6 + 0.001 * n for n, key in enumerate(keys)}, "good")
    best = judged({key: 0.7 + 0.001 * n for n, key in enumerate(keys)}, "best")
    luck = judged({key: 0.5 + 20.0 * (n == 0) for n, key in enumerate(keys)}, "luck")
    found = recommended(compare(base, [good, best, luck], "nDCG@10"))
    assert found
    assert found.name == "best"
    assert recommended(compare(best, [base, good, luck], "nDCG@10")) is None


def test_two_runs_of_one_name_are_refused(small: TestSet, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="these are hybrid, hybrid"):
        measure(small, [HYBRID, HYBRID], tmp_path / "kept", silent)


def test_a_metric_is_known_before_anything_is_measured(small: TestSet, spans: TestSet) -> None:
    assert check_metric(small, "MAP") == 2
    assert check_metric(spans, "span recall@5") == 1
    for name in ("nope", "span recall@5"):
        with pytest.raises(ConfigurationError, match=rf"'{name}' isn't measured.* nDCG@10, .* are"):
            check_metric(small, name)
