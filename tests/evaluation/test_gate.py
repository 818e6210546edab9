import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluation.beir import Entry
from evaluation.configuration import Configuration
from evaluation.errors import ConfigurationError, DatasetError
from evaluation.gate import (
    check,
    check_documents,
    check_questions,
    check_writable,
    read_baseline,
    write_baseline,
)
from evaluation.judging import Judged
from evaluation.runs import Run
from evaluation.test_set import TestSet
from retrieval.types import Mode

METRIC = "nDCG@10"
SMALL = TestSet("small", (Entry("d", "", "text"),), {f"{n}": "?" for n in range(5)}, {}, {})
HYBRID = Configuration("hybrid")


def judged(values: dict[str, float], configuration: Configuration = HYBRID) -> Judged:
    return Judged(Run("small", configuration, {}, {}), {METRIC: values})


def scores(loss: float, seed: int) -> dict[str, float]:
    """Measures of 200 questions, of which a few differ with the seed."""
    return {
        f"{n}": max(0.0, 0.3 + 0.4 * ((n * 7 + seed) % 10 == 0) + 0.002 * n - loss)
        for n in range(200)
    }


def equal(value: float, count: int) -> dict[str, float]:
    return {f"{n}": value for n in range(count)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "baseline.json"


@pytest.mark.parametrize("seed", range(20))
def test_it_is_red_for_what_is_worse_and_for_nothing_else(path: Path, seed: int) -> None:
    write_baseline(path, judged(scores(0.0, 0)), SMALL)
    kept = read_baseline(path)
    assert check(kept, judged(scores(0.0, 0)), SMALL, METRIC, 0.0).passes
    assert check(kept, judged(scores(0.0, seed)), SMALL, METRIC, 0.0).passes
    worse = check(kept, judged(scores(0.05, seed)), SMALL, METRIC, 0.01)
    assert not worse.passes
    assert worse.p < 0.05
    assert worse.high < 0
    assert check(kept, judged(scores(0.05, seed)), SMALL, METRIC, 0.1).passes


def test_a_loss_has_to_be_significantly_more_than_the_tolerance(path: Path) -> None:
    """The loss is certain, and that it is more than 0.05 isn't."""
    lost = {f"{n}": 0.5 - 0.051 - 0.03 * (-1) ** n for n in range(20)}
    write_baseline(path, judged(equal(0.5, 20)), SMALL)
    kept = read_baseline(path)
    assert not check(kept, judged(lost), SMALL, METRIC, 0.0).passes
    tolerated = check(kept, judged(lost), SMALL, METRIC, 0.05)
    assert (tolerated.passes, tolerated.p > 0.3) == (True, True)
    assert not check(kept, judged(lost), SMALL, METRIC, 0.02).passes


def test_too_few_questions_could_never_fail(path: Path) -> None:
    write_baseline(path, judged(equal(1.0, 5)), SMALL)
    assert not check(read_baseline(path), judged(equal(0.0, 5)), SMALL, METRIC, 0.0).passes
    write_baseline(path, judged(equal(1.0, 4)), SMALL)
    with pytest.raises(DatasetError, match=r"small has 4 questions.*fewer than 5"):
        check(read_baseline(path), judged(equal(0.0, 4)), SMALL, METRIC, 0.0)
    check_questions(SMALL, METRIC)
    with pytest.raises(DatasetError, match=r"small has 4 questions.*fewer than 5"):
        check_questions(SMALL.sample(4, 0), METRIC)
    with pytest.raises(ConfigurationError, match=r"'nope' isn't measured.*MAP"):
        check_questions(SMALL, "nope")


def test_a_baseline_of_something_else_is_refused(path: Path) -> None:
    with pytest.raises(DatasetError, match="can't be read"):
        read_baseline(path)
    write_baseline(path, judged(equal(1.0, 5)), SMALL)
    kept = read_baseline(path)
    other = {f"q{n}": 1.0 for n in range(5)}
    with pytest.raises(DatasetError, match=r"5 questions .* not the same ones"):
        check(kept, judged(other), SMALL, METRIC, 0.0)
    with pytest.raises(DatasetError, match=r"'MAP' isn't measured .* nDCG@10 are"):
        check(kept, judged(equal(1.0, 5)), SMALL, "MAP", 0.0)
    changed = replace(SMALL, documents=(Entry("d", "", "other text"),))
    for refused in (
        lambda: check(kept, judged(equal(1.0, 5)), changed, METRIC, 0.0),
        lambda: check_documents(kept, changed),
    ):
        with pytest.raises(DatasetError, match="of other documents than small has now"):
            refused()
    with pytest.raises(DatasetError, match="of 'small', not of 'large'"):
        check_documents(kept, replace(SMALL, name="large"))


def test_the_configuration_of_the_baseline_is_told_where_it_differs(path: Path) -> None:
    dense = Configuration("dense", Mode.DENSE, tokens=64)
    write_baseline(path, judged(equal(1.0, 5), dense), SMALL)
    kept = read_baseline(path)
    assert kept.configuration["name"] == "dense"
    assert kept.documents == SMALL.digest
    verdict = check(kept, judged(equal(1.0, 5)), SMALL, METRIC, 0.0)
    assert verdict.baseline == {"mode": "dense", "tokens": 64}
    assert check(kept, judged(equal(1.0, 5), dense), SMALL, METRIC, 0.0).baseline == {}


@pytest.mark.parametrize(
    "values",
    [None, [], "texts", {METRIC: None}, {METRIC: {"0": "1.0"}}, {METRIC: {"0": None}}]
    + [{METRIC: {"0": float(name)}} for name in ("nan", "inf")],
)
def test_a_file_that_is_no_baseline_is_named(path: Path, values: Any) -> None:
    write_baseline(path, judged(equal(1.0, 5)), SMALL)
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(kept | {"values": values}))
    with pytest.raises(DatasetError, match=r"baseline\.json isn't a baseline .*'values'"):
        read_baseline(path)


@pytest.mark.parametrize("content", ["", "[]", "null", "{", "\udcff", '{"set": "small"}'])
def test_a_file_of_something_else_is_named(path: Path, content: str) -> None:
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(DatasetError, match=r"baseline\.json isn't a baseline"):
        read_baseline(path)


def test_where_a_baseline_cannot_be_written_is_known_before(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_writable(path)
    assert not path.exists()
    gone = path.parent / "gone" / "baseline.json"
    with pytest.raises(DatasetError, match=r"can't be written: there is no folder .*gone"):
        check_writable(gone)
    with pytest.raises(DatasetError, match="can't be written: No such file"):
        write_baseline(gone, judged(equal(1.0, 5)), SMALL)
    with pytest.raises(DatasetError, match="can't be written: it is a folder"):
        check_writable(path.parent)
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    with pytest.raises(DatasetError, match="can't be written: that isn't permitted"):
        check_writable(path)
