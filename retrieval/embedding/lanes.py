"""What waits to be embedded: a lane for each kind of hurry, and batches of texts of like length."""

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from enum import IntEnum

from retrieval.types import Vector

_WINDOW = 512  # texts among which like lengths are looked for: enough to find them, soon done


class Lane(IntEnum):
    """Who waits. A lane is served when those before it are empty."""

    QUESTION = 0  # a person
    CALL = 1  # a client of the embedding API
    DOCUMENT = 2  # nobody: ingestion


@dataclass(frozen=True, slots=True)
class Work:
    """A text of so many tokens, and where its vector goes."""

    text: str
    tokens: int
    done: "Future[Vector]"


class Lanes:
    """The queues. Not safe for several threads at once."""

    def __init__(self) -> None:
        self._queues: dict[Lane, deque[Work]] = {lane: deque() for lane in Lane}

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def waiting(self, lane: Lane) -> int:
        return len(self._queues[lane])

    def add(self, lane: Lane, work: list[Work]) -> None:
        self._queues[lane].extend(work)

    def take(self, budget: int) -> list[Work]:
        """The next batch: at most `budget` padded tokens, but one text at least; empty if none.

        It holds the text that waits longest in its lane, so none waits for ever, and those near
        it that are most like it in length, so that little is padded.
        """
        queue = next((queue for queue in self._queues.values() if queue), None)
        if queue is None:
            return []
        head = queue[0]
        window = [queue.popleft() for _ in range(min(_WINDOW, len(queue)))]
        alike = sorted(range(len(window)), key=lambda i: abs(window[i].tokens - head.tokens))
        taken: list[int] = []
        longest = 0
        for index in alike:
            longest = max(longest, window[index].tokens)
            if taken and longest * (len(taken) + 1) > budget:
                break
            taken.append(index)
        chosen = set(taken)
        queue.extendleft(reversed([w for i, w in enumerate(window) if i not in chosen]))
        return [window[index] for index in sorted(taken)]

    def drain(self) -> list[Work]:
        """All that waits, which it then doesn't any more."""
        rest = [work for queue in self._queues.values() for work in queue]
        for queue in self._queues.values():
            queue.clear()
        return rest
