"""Those that take part: one that fails is out, with its reason, and the others go on."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from evaluation.embedding_bench.participants import Participant
from evaluation.errors import TargetFailed

T = TypeVar("T")


class Field:
    """In the order that they were given in."""

    def __init__(self, participants: Sequence[Participant]) -> None:
        self._all = tuple(participants)
        self.failures: dict[str, str] = {}

    @property
    def running(self) -> list[Participant]:
        return [one for one in self._all if one.target.name not in self.failures]

    def turns(self, turn: int) -> Iterator[Participant]:
        """Those that run, each turn another one first: what comes first finds the machine as
        another left it.
        """
        begin = turn % len(self._all)
        for one in (*self._all[begin:], *self._all[:begin]):
            if one.target.name not in self.failures:
                yield one

    def attempt(self, participant: Participant, step: Callable[[Participant], T]) -> T | None:
        """What the step gives; None where the target failed, which then is out."""
        try:
            return step(participant)
        except TargetFailed as error:
            self.failures[participant.target.name] = " ".join(str(error).split())
            participant.close()
            return None
