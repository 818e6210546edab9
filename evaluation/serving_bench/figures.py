"""What was measured of a server, as it is reported; from and to JSON as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from evaluation.latency import Latency
from evaluation.significance import Median


class Call(StrEnum):
    """What is asked of a knowledge base."""

    SEARCH = "search"
    ASK = "ask"


class Beside(StrEnum):
    """What the server does meanwhile."""

    NOTHING = "nothing"
    INGESTION = "ingestion"


@dataclass(frozen=True, slots=True)
class Throughput:
    """Answers a second, by round, of clients that ask again as soon as they are answered.

    `errors` by status, or by what kept a reply from coming; `ingested` are texts a second that
    became searchable meanwhile, `client` the cores that asking took.
    """

    call: Call
    beside: Beside
    answers: Median
    errors: Mapping[str, int]
    ingested: float | None
    client: float


@dataclass(frozen=True, slots=True)
class Step:
    """Requests that came at a rate, of all rounds; otherwise as `Throughput`."""

    call: Call
    beside: Beside
    latency: Latency
    errors: Mapping[str, int]
    ingested: float | None
    client: float


@dataclass(frozen=True, slots=True)
class Ingestion:
    """Texts that became searchable, and those that didn't; `rate` a second, by round where
    requests came meanwhile.
    """

    while_asked: bool
    texts: int
    failed: int
    rate: Median


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes of the server's own process: when it was ready, with the first texts in it, at
    the most.
    """

    ready: float
    filled: float
    peak: float


@dataclass(frozen=True, slots=True)
class ServingBench:
    """A run of the benchmark. `server` describes it; `documents` were in it at the beginning."""

    machine: str
    made: date
    command: str
    server: str
    documents: int
    chunks: int
    texts: str
    clients: int
    rounds: int
    seconds: float
    seed: int
    same_questions: bool
    notes: tuple[str, ...]
    throughputs: tuple[Throughput, ...]
    steps: tuple[Step, ...]
    ingestions: tuple[Ingestion, ...]
    memory: Memory | None

    @property
    def ingested(self) -> bool:
        """Whether there was ingestion beside requests."""
        return any(one.beside is Beside.INGESTION for one in self.throughputs)

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = _BENCH.dump_python(self, mode="json")
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ServingBench":
        return _BENCH.validate_python(value)


_BENCH: TypeAdapter[ServingBench] = TypeAdapter(ServingBench)
