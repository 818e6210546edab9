"""What those who watch are told: what took how long, and how it ended. Never what was asked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from retrieval.types import Answer, Mode


class Observer(Protocol):
    """Is told from any thread, often: it must be quick, and raise nothing."""

    def took(self, work: str, stage: str, seconds: float) -> None:
        """A stage of some work ("search", "answer", "ingest") that is over by now."""

    def searched(self, mode: Mode, seconds: float) -> None:
        """A search that gave hits, be there any or not."""

    def answered(self, answer: Answer) -> None:
        """An answer that was told whole, or an abstention."""

    def unanswered(self) -> None:
        """An answer that broke off with an error."""

    def ingested(self, outcome: str) -> None:
        """A job that is over: "added", "failed" and so on, or put off: "retried"."""


class Unobserved:
    """Nobody watches."""

    def took(self, work: str, stage: str, seconds: float) -> None: ...

    def searched(self, mode: Mode, seconds: float) -> None: ...

    def answered(self, answer: Answer) -> None: ...

    def unanswered(self) -> None: ...

    def ingested(self, outcome: str) -> None: ...


@contextmanager
def timed(observer: Observer, work: str, stage: str) -> Iterator[None]:
    """Tell how long the block took, also where it fails."""
    began = time.perf_counter()
    try:
        yield
    finally:
        observer.took(work, stage, time.perf_counter() - began)
