"""A client: writes documents of its own, and looks whether the server keeps to what it said."""

import random
from collections.abc import Awaitable, Callable

from evaluation.serving_soak.calling import Lost, Wrong
from evaluation.serving_soak.insisting import Held, removed, written
from evaluation.serving_soak.library import Library
from evaluation.serving_soak.writing import Fact, Writer, Writing

_SHARES = {"search": 38, "ask": 26, "text": 6, "upload": 12, "update": 8, "delete": 10}
_AGAIN = 0.2  # of uploads are under a name whose document was deleted
_GONE = 0.25  # of questions are about what was deleted
_WAITS = 0.3  # of writes are answered when they are searchable


_Look = Callable[[Fact, Writing | None], Awaitable[None]]


class Client:
    """Does one thing after the other. What it sends is decided by its number and the seed alone:
    it insists on each until that is done.
    """

    def __init__(self, number: int, seed: int, most: int, library: Library) -> None:
        """It holds so many documents at the `most`."""
        self._library, self._most = library, most
        self._ledger = library.ledger
        self._chance = random.Random(f"{seed} client {number}")  # noqa: S311
        self._writer = Writer(number, seed)
        self.held: list[Held] = []
        self.deleted: list[Held] = []
        self.given_up: set[str] = set()
        self.acts = self.written = self.removed = 0

    async def run(self, over: Callable[[], bool]) -> None:
        while not over():
            held = self._chance.choice(self.held) if self.held else None
            [act] = self._chance.choices(list(_SHARES), list(_SHARES.values()))
            self.acts += 1
            try:
                await self._act(act, held)
            except (Lost, Wrong):  # told already
                continue

    async def _act(self, act: str, held: Held | None) -> None:
        if held is None or (act == "upload" and len(self.held) < self._most):
            await self._upload()
        elif act in ("upload", "delete"):
            await self._delete(held)
        elif act == "update":
            await self._update(held)
        elif act == "text":
            await self._library.check_text(held.id, held.writing.text)
        else:
            await self._look(self._library.ask if act == "ask" else self._library.search, held)

    async def _look(self, look: _Look, held: Held) -> None:
        """For a fact of a document that there is, or now and then of one that there was."""
        if self.deleted and self._chance.random() < _GONE:
            gone = self._chance.choice(self.deleted)
            await look(self._chance.choice(gone.writing.facts), None)
        else:
            await look(self._chance.choice(held.writing.facts), held.writing)

    async def _upload(self) -> None:
        if self.deleted and self._chance.random() < _AGAIN:
            gone = self.deleted.pop(self._chance.randrange(len(self.deleted)))
            writing = self._writer.revised(gone.writing)
        else:
            writing = self._writer.new()
        await self._write(writing, None)

    async def _update(self, held: Held) -> None:
        self.held.remove(held)
        await self._write(self._writer.revised(held.writing), held)

    async def _write(self, writing: Writing, old: Held | None) -> None:
        """Send it until it is there, then look whether it is."""
        wait, by_id = self._chance.random() < _WAITS, self._chance.random() < 1 / 2
        try:
            held = await written(self._library, writing, old, wait=wait, by_id=by_id)
            self.held.append(held)
            self.written += 1
            self._ledger.forget(writing.uri, but=writing.text)
            await self._library.check_text(held.id, writing.text)
            for fact in writing.facts:
                await self._library.search(fact, writing)
            await self._library.ask(self._chance.choice(writing.facts), writing)
        except (Lost, Wrong):
            if not any(one.writing is writing for one in self.held):
                self.given_up.add(writing.uri)
            raise

    async def _delete(self, held: Held) -> None:
        self.held.remove(held)
        try:
            await removed(self._library, held)
        except Wrong:
            self.given_up.add(held.writing.uri)
            raise
        self._ledger.forget(held.writing.uri)
        self.deleted.append(held)
        self.removed += 1
        await self._library.check_gone(held.id)
        for fact in held.writing.facts:
            await self._library.search(fact, None)
        await self._library.ask(self._chance.choice(held.writing.facts), None)
