"""Participants made by hand, whose seconds and failures are known, and figures of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pytest

from evaluation.embedding_bench.figures import (
    Agreement,
    Bench,
    Quality,
    Result,
    Speed,
    Texts,
)
from evaluation.embedding_bench.messages import Footprint, Loaded
from evaluation.embedding_bench.participants import Embedded
from evaluation.embedding_bench.targets import Kind, Target
from evaluation.embedding_bench.texts import TextSet
from evaluation.errors import TargetFailed
from evaluation.latency import Latency
from evaluation.significance import Difference, Interval, Median

HOSTILE = '</p></b>"\'<script src="http://evil.example/x.js">alert(1)</script>|`*_&lt;<img src=x>'


@dataclass
class Fake:
    """Takes `seconds` for everything, and fails from its call number `fails_at` on."""

    name: str
    log: list[str] = field(default_factory=list)
    seconds: float = 1.0
    fails_at: int = 1_000
    calls: int = 0
    closed: int = 0

    @property
    def target(self) -> Target:
        return Target(self.name, Kind.SCHEDULED, "m", "torch")

    def load(self) -> Loaded:
        self._call("load")
        return Loaded(seconds=self.seconds)

    def embed(self, texts: TextSet, *, keep: bool = False) -> Embedded:
        self._call(texts.name)
        vectors = np.eye(len(texts.texts), 8, dtype=np.float32) if keep else None
        return Embedded(self.seconds, vectors)

    def singles(self, texts: TextSet) -> float:
        self._call("singles")
        return self.seconds

    def serve(self, texts: TextSet, due: Sequence[float], patience: float) -> list[float | None]:
        self._call("serve")
        return [self.seconds for _ in due]

    def footprint(self) -> Footprint:
        return Footprint()

    def close(self) -> None:
        self.closed += 1

    def _call(self, what: str) -> None:
        self.calls += 1
        if self.calls >= self.fails_at:
            raise TargetFailed(f"{what} went\nwrong")
        self.log.append(f"{self.name} {what}")


MakeResult = Callable[..., Result]


def result(name: str, *, failed: str = "", rate: float = 1_000.0, ndcg: float = 0.6) -> Result:
    speed = Speed(
        seconds=(1.0, 1.1),
        texts=Median(rate / 50, rate / 55, rate / 45),
        tokens=Median(rate, 0.9 * rate, 1.1 * rate),
        ratio=Median(1.5, 1.4, 1.6),
        flops=2e10,
        share=0.25,
    )
    waited = tuple(
        Latency(rate * share, share, 100, 0, 5.0, 9.0 / (1 - share), None) for share in (0.1, 0.9)
    )
    return Result(
        name=name,
        kind=Kind.SCHEDULED,
        model="m",
        backend="torch",
        budget=1_024,
        failed=failed,
        dtype="float32",
        device="cpu",
        load_seconds=2.5,
        memory=500.0,
        peak_memory=700.0,
        gpu_memory=None,
        speeds={} if failed else {"mixed": speed},
        capacity=rate,
        latencies=() if failed else waited,
        agreement=None if failed else Agreement(0.9991, 0.9876),
        quality=None
        if failed
        else Quality(
            Interval(ndcg, ndcg - 0.1, ndcg + 0.1), Difference(Interval(0.01, -0.01, 0.03), 0.3)
        ),
    )


@pytest.fixture
def bench() -> Bench:
    """Three targets with hostile names, one of which failed."""
    results = (
        result("first", rate=800.0, ndcg=0.65),
        result(f"second {HOSTILE}", rate=4_000.0),
        result("third", failed=f"No module named {HOSTILE}"),
    )
    return Bench(
        machine=f"CPU {HOSTILE}",
        made=date(2026, 11, 21),
        command=f"footnote {HOSTILE}",
        versions={"torch": "2.13"},
        threads=2,
        rounds=2,
        seed=0,
        request_texts=32,
        requests=4,
        first="first",
        reference="first",
        peaks={"float32": 8e10},
        sets=(Texts("mixed", 50, 1_000, 10, 60, 1),),
        quality_set="scifact, 10 documents, 3 questions",
        notes=("A note.",),
        results=results,
    )


@pytest.fixture
def alone(bench: Bench) -> Bench:
    """The same without quality or latency."""
    bare = [replace(one, quality=None, latencies=()) for one in bench.results]
    return replace(bench, results=tuple(bare), quality_set="")
