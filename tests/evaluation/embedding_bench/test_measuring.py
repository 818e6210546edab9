"""The whole, with targets that are quick, and some that fail."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.standin.server import create_standin, running
from evaluation.beir import Entry
from evaluation.embedding_bench import measuring
from evaluation.embedding_bench.agreement import reference_of
from evaluation.embedding_bench.figures import Bench
from evaluation.embedding_bench.measuring import Plan, measure
from evaluation.embedding_bench.targets import parse_target, with_budgets
from evaluation.embedding_bench.texts import built_in
from evaluation.errors import ConfigurationError
from evaluation.latency import Load
from evaluation.test_set import TestSet
from retrieval.settings import EngineSettings

WORDS = ["tea", "warranty", "battery", "office", "invoice", "holiday"]
SET = TestSet(
    "words",
    tuple(Entry(f"d{n}", "", f"All about {word}.") for n, word in enumerate(WORDS)),
    {f"q{n}": f"{word}?" for n, word in enumerate(WORDS)},
    {f"q{n}": {f"d{n}": 1} for n in range(len(WORDS))},
    {},
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(create_standin()) as url:
        yield url


@pytest.fixture(scope="module")
def plan(server: str) -> Plan:
    names = (
        *("tei+http://127.0.0.1:1", "hashing@auto", "hashing@raw:auto"),
        f"ollama+{server}/all-minilm",
    )
    targets = with_budgets([parse_target(name, "hashing") for name in names], [])
    return Plan(
        targets=targets,
        sets=(built_in("short", 8, 0), built_in("mixed", 4, 0)),
        quality=SET,
        rounds=3,
        load=Load((500.0,), 0.01, 0),
        reference=reference_of(targets, "hashing@auto"),
        threads=1,
        request_texts=4,
        requests=2,
        patience=120.0,
        seed=0,
        command="footnote bench embed",
    )


@pytest.fixture(scope="module")
def bench(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    tracked: dict[str, list[int]] = {}
    settings = EngineSettings(tmp_path_factory.mktemp("data"), "hashing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "measured_peak", lambda *_: {"float32": 1e11})
        yield measure(plan, settings, lambda what, _: tracked.setdefault(what, []).append)
    assert tracked["rounds"][-1] == 3 * 2 * 3


def test_a_target_that_fails_is_a_result_that_says_why(bench: Bench) -> None:
    told = {one.name: one.failed for one in bench.failed}
    assert list(told) == ["tei+http://127.0.0.1:1"], told
    assert "doesn't answer" in told["tei+http://127.0.0.1:1"]
    assert all(not one.speeds and one.quality is None for one in bench.failed)


def test_the_others_are_measured_all_the_same(bench: Bench) -> None:
    scheduled, raw, server = (one for one in bench.results if not one.failed)
    for one in (scheduled, raw, server):
        assert list(one.speeds) == ["short", "mixed"]
        for name, speed in one.speeds.items():
            texts = next(each for each in bench.sets if each.name == name)
            assert len(speed.seconds) == 3
            assert speed.tokens is not None
            assert texts.tokens is not None
            ratio = speed.tokens.value / speed.texts.value
            assert ratio == pytest.approx(texts.tokens / texts.count)
        assert [latency.requests for latency in one.latencies] == [20]
        assert one.quality is not None
        assert one.quality.ndcg.mean == 1.0
    assert raw.agreement is not None
    assert raw.agreement.least == pytest.approx(1.0, abs=1e-6)
    assert scheduled.agreement is None  # it is the reference
    assert server.agreement is None  # its vectors are of another size
    assert (scheduled.load_seconds is None, server.load_seconds) == (False, None)
    assert scheduled.peak_memory is not None
    assert server.memory is None


def test_ratios_are_to_the_first_that_runs(bench: Bench) -> None:
    assert bench.first == "hashing@auto"
    first, raw = bench.results[1], bench.results[2]
    assert first.speeds["short"].ratio is None
    ratio = raw.speeds["short"].ratio
    assert ratio is not None
    pairs = zip(first.speeds["short"].seconds, raw.speeds["short"].seconds, strict=True)
    assert ratio.value == sorted(before / own for before, own in pairs)[1]


def test_what_is_measured_comes_back_from_json(bench: Bench) -> None:
    assert Bench.from_json(bench.to_json()) == bench


def test_nothing_is_not_measured(plan: Plan, tmp_path: Path) -> None:
    for bare in (replace(plan, targets=()), replace(plan, sets=())):
        with pytest.raises(ConfigurationError, match="nothing to measure"):
            measure(bare, EngineSettings(tmp_path), lambda _what, _total: lambda _done: None)
