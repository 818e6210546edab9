"""Documents that are uploaded to whoever serves, until all of them are there."""

from collections.abc import Callable

import anyio

from evaluation.serving_soak.calling import Lost, Wrong
from evaluation.serving_soak.insisting import Held, written
from evaluation.serving_soak.library import Library
from evaluation.serving_soak.writing import Writer

_FIRST = 500  # numbers of writers: those of clients come before
_SIDE_BY_SIDE = 64  # documents on their way


class Loader:
    """Uploads so many documents, and insists on each."""

    def __init__(
        self, library: Library, count: int, seed: int, tell: Callable[[int], None]
    ) -> None:
        self._library, self._count, self._tell = library, count, tell
        writers = [Writer(_FIRST + at, seed) for at in range(min(_SIDE_BY_SIDE, count))]
        self._waiting = iter([writers[at % len(writers)].new() for at in range(count)])
        self.held: list[Held] = []
        self.given_up: set[str] = set()

    @property
    def share(self) -> float:
        """Of the documents that are over."""
        return (len(self.held) + len(self.given_up)) / self._count

    async def run(self) -> None:
        """Returns when all of them are there, or were given up, which is told."""
        async with anyio.create_task_group() as group:
            for _ in range(_SIDE_BY_SIDE):
                group.start_soon(self._upload)

    async def _upload(self) -> None:
        for writing in self._waiting:
            try:
                held = await written(self._library, writing, None, wait=False, by_id=False)
            except (Lost, Wrong):  # told already
                self.given_up.add(writing.uri)
                continue
            self.held.append(held)
            self._library.ledger.forget(writing.uri, but=writing.text)
            self._tell(len(self.held))
