"""What comes of requests that were asked in rounds: figures of each case."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from evaluation.latency import Latency
from evaluation.serving_bench.client import Asked
from evaluation.serving_bench.figures import Beside, Call, Ingestion, Step, Throughput
from evaluation.significance import median


@dataclass(frozen=True, slots=True)
class Case:
    """What was asked, beside what; `rate` requests a second, None: as many as are answered."""

    call: Call
    beside: Beside
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One round of a case; `texts` became searchable meanwhile."""

    asked: Asked
    texts: int


@dataclass(frozen=True, slots=True)
class Fed:
    """Texts that became searchable beside the requests of a round, and those that didn't."""

    texts: int
    failed: int
    seconds: float


@dataclass(slots=True)
class Tally:
    """The rounds of every case, in the order in which they were first measured."""

    measures: dict[Case, list[Measure]] = field(default_factory=dict)
    fed: list[Fed] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.measures.values()))

    def add(self, case: Case, measure: Measure) -> None:
        self.measures.setdefault(case, []).append(measure)

    def capacity(self, call: Call) -> float:
        """Answers a second with nothing beside, in the first round: rates are shares of it."""
        return self.measures[Case(call, Beside.NOTHING)][0].asked.rate

    def throughputs(self) -> tuple[Throughput, ...]:
        return tuple(
            Throughput(
                call=case.call,
                beside=case.beside,
                answers=median([one.asked.rate for one in rounds]),
                errors=_errors(rounds),
                ingested=_ingested(case, rounds),
                client=_client(rounds),
            )
            for case, rounds in self.measures.items()
            if case.rate is None
        )

    def steps(self) -> tuple[Step, ...]:
        return tuple(
            Step(
                call=case.call,
                beside=case.beside,
                latency=Latency.of(
                    case.rate,
                    case.rate / self.capacity(case.call),
                    [taken for one in rounds for taken in one.asked.latencies],
                ),
                errors=_errors(rounds),
                ingested=_ingested(case, rounds),
                client=_client(rounds),
            )
            for case, rounds in self.measures.items()
            if case.rate is not None
        )

    def ingestions(self) -> tuple[Ingestion, ...]:
        """That beside requests, if there was any."""
        if not self.fed:
            return ()
        return (
            Ingestion(
                while_asked=True,
                texts=sum(one.texts for one in self.fed),
                failed=sum(one.failed for one in self.fed),
                rate=median([one.texts / one.seconds for one in self.fed]),
            ),
        )


def _errors(rounds: Sequence[Measure]) -> dict[str, int]:
    return dict(sum((one.asked.errors for one in rounds), Counter[str]()))


def _seconds(rounds: Sequence[Measure]) -> float:
    return max(1e-9, sum(one.asked.seconds for one in rounds))


def _ingested(case: Case, rounds: Sequence[Measure]) -> float | None:
    if case.beside is Beside.NOTHING:
        return None
    return sum(one.texts for one in rounds) / _seconds(rounds)


def _client(rounds: Sequence[Measure]) -> float:
    """Cores."""
    return sum(one.asked.processor for one in rounds) / _seconds(rounds)
