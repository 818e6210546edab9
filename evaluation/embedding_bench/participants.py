"""What is measured of a target, whether it is a process of ours or a server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from evaluation.embedding_bench.messages import Footprint, Loaded
from evaluation.embedding_bench.targets import Target
from evaluation.embedding_bench.texts import TextSet
from retrieval.types import Vectors


@dataclass(frozen=True, slots=True)
class Embedded:
    """Seconds, and the vectors where they were wanted: `(n, d) float32`."""

    seconds: float
    vectors: Vectors | None


class Participant(Protocol):
    """Everything raises TargetFailed, after which the target isn't asked any more."""

    @property
    def target(self) -> Target: ...

    def load(self) -> Loaded:
        """Have it ready, its first vector made."""

    def embed(self, texts: TextSet, *, keep: bool = False) -> Embedded:
        """Embed texts that are given all at once; with `keep`, give their vectors."""

    def singles(self, texts: TextSet) -> float:
        """Seconds for texts in requests of their own that all wait at once."""

    def serve(self, texts: TextSet, due: Sequence[float], patience: float) -> list[float | None]:
        """Seconds of single texts that come when they are due; see `open_loop`."""

    def footprint(self) -> Footprint:
        """What memory it takes."""

    def close(self) -> None:
        """Let it go."""
