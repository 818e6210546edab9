"""What waits to be embedded: a lane for each kind of hurry, and batches of texts of like length.

Not safe for several threads at once: the scheduler has a lock around it.
"""

from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from retrieval.embedding.batching import batches_by_length
from retrieval.embedding.tokens import TokenizedText

if TYPE_CHECKING:
    from retrieval.embedding.requests import Request

# Batches that are planned at a time, from the texts that are most alike of what waits: enough to
# find them, soon done. It is also what a request may have in the queue, so that others get a turn.
_PLANNED = 16
_LEAST_PLANNED = 16_384  # tokens: with small batches there are more of them
_AT_LEAST = 256  # texts of a request in the queue, however few their tokens

# What a lane gets of the model's time while those before it never empty.
_SHARE = 0.2


class Lane(IntEnum):
    """Who waits. A lane is served when those before it are empty, or when it is owed a turn."""

    QUESTION = 0  # a person
    CALL = 1  # a client of the embedding API
    DOCUMENT = 2  # nobody: ingestion


class Work:
    """A text that is embedded once for all who want it: requests, and the row in each."""

    __slots__ = ("lane", "started", "text", "wanted")

    def __init__(self, text: TokenizedText, lane: Lane) -> None:
        self.text = text
        self.lane = lane
        self.started = False
        self.wanted: list[tuple[Request, int]] = []

    def waits_in(self, lane: Lane) -> bool:
        """Whether this is still to be done, and by that lane."""
        return not self.started and self.lane is lane


class Lanes:
    """The queues. `budget` is the padded tokens (longest x texts) that a batch should have."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._window = max(_PLANNED * budget, _LEAST_PLANNED)
        self._queues: dict[Lane, deque[Work]] = {lane: deque() for lane in Lane}
        self._planned: dict[Lane, deque[list[Work]]] = {lane: deque() for lane in Lane}
        self._ready = dict.fromkeys(Lane, 0)  # texts in the queue and in what is planned
        self._behind = dict.fromkeys(Lane, 0)  # texts of requests that have enough in the queue
        self._works: dict[str | bytes, Work] = {}  # what waits or runs
        self._queued: dict[Request, list[Work]] = {}  # what waits of each request
        self._owed = dict.fromkeys(Lane, 0.0)
        self._lasted = dict.fromkeys(Lane, 0.0)

    def __bool__(self) -> bool:
        return any(self._ready.values())

    def waiting(self, lane: Lane) -> int:
        """Texts that no model has begun."""
        return self._ready[lane] + self._behind[lane]

    def requests(self) -> "list[Request]":
        """All that haven't been forgotten."""
        return list(self._queued)

    def add(self, request: "Request") -> None:
        """Queue a request."""
        self._behind[request.lane] += len(request.texts)
        self._queued[request] = []
        self._queue_more(request)

    def forget(self, request: "Request") -> None:
        """Drop what waits of a request, but for texts that others want too."""
        self._behind[request.lane] -= len(request.texts) - request.taken_up
        request.taken_up = len(request.texts)
        for work in self._queued.pop(request, ()):
            work.wanted = [one for one in work.wanted if one[0] is not request]
            if not work.wanted and not work.started:
                work.started = True  # by nobody: its queue passes over it
                self._ready[work.lane] -= 1
                del self._works[work.text.key]

    def take(self) -> list[Work]:
        """The next batch, begun: at most the budget, but one text at least; empty if none."""
        while (lane := self._next_lane()) is not None:
            if not self._planned[lane]:
                self._plan(lane)
            batch = [w for w in self._planned[lane].popleft() if w.waits_in(lane)]
            if batch:
                self._begin(batch)
                return batch
        return []

    def finish(self, work: Work) -> "list[tuple[Request, int]]":
        """Who wanted a text that has been embedded, or has failed."""
        self._works.pop(work.text.key, None)
        return work.wanted

    def spent(self, lane: Lane, seconds: float) -> None:
        """A batch of a lane has taken so long: those that waited meanwhile are owed their share."""
        self._lasted[lane] = seconds
        self._owed[lane] = max(0.0, self._owed[lane] - seconds)
        for other in Lane:
            if other > lane:
                waited = self._ready[other] > 0
                self._owed[other] = self._owed[other] + seconds * _SHARE if waited else 0.0

    def _next_lane(self) -> Lane | None:
        """The first that waits, unless one behind it is owed as much as its last batch took."""
        waiting = [lane for lane in Lane if self._ready[lane]]
        owed = (one for one in waiting[1:] if self._owed[one] > self._lasted[one])
        return next(owed, waiting[0] if waiting else None)

    def _queue_more(self, request: "Request") -> None:
        """Put its next texts in the queue, as many as it may have there."""
        works = self._queued[request]
        tokens = sum(work.text.count for work in works)
        for row in range(request.taken_up, len(request.texts)):
            if len(works) >= _AT_LEAST and tokens >= self._window:
                return
            work = self._work(request.texts[row], request.lane)
            work.wanted.append((request, row))
            request.taken_up += 1
            self._behind[request.lane] -= 1
            if not work.started:
                works.append(work)
                tokens += work.text.count

    def _work(self, text: TokenizedText, lane: Lane) -> Work:
        """The work on a text, in a queue; one that waits is in that of its hastiest request."""
        work = self._works.get(text.key)
        if work is None:
            work = self._works[text.key] = Work(text, lane)
        elif work.started or work.lane <= lane:
            return work
        else:
            self._ready[work.lane] -= 1
            work.lane = lane  # the other queue passes over it
        self._ready[lane] += 1
        self._queues[lane].append(work)
        return work

    def _plan(self, lane: Lane) -> None:
        """Batches of the texts that have waited longest, the one with the first of them first."""
        queue, window, tokens = self._queues[lane], list[Work](), 0
        while queue and tokens < self._window:
            work = queue.popleft()
            if work.waits_in(lane):
                window.append(work)
                tokens += work.text.count
        batches = sorted(batches_by_length([w.text for w in window], self._budget), key=min)
        self._planned[lane].extend([window[at] for at in batch] for batch in batches)

    def _begin(self, batch: Sequence[Work]) -> None:
        wanting: dict[Request, None] = {}
        for work in batch:
            work.started = True
            self._ready[work.lane] -= 1
            wanting |= {request: None for request, _ in work.wanted}
        for request in wanting:
            request.begin()
            self._queued[request] = [w for w in self._queued[request] if not w.started]
            self._queue_more(request)
