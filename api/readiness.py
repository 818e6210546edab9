"""Whether the service can work: its model and each of its stores, as of a moment ago."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import anyio

from api.routes.dependencies import Blocking
from api.service import Service
from retrieval import access
from retrieval.engine import Engine
from retrieval.errors import RetrievalError
from retrieval.types import KnowledgeBase

FRESH = 1.0  # seconds
PATIENCE = 3.0  # seconds that each part may take to say how it is


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the service: what was found, or why it doesn't work."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found of all parts, and which knowledge bases there are."""

    checks: tuple[Check, ...]
    knowledge_bases: tuple[KnowledgeBase, ...]

    @property
    def wrong(self) -> list[Check]:
        return [check for check in self.checks if not check.ok]


class ReadinessWatch:
    """Looks as often as anybody asks, but no more than once at a time, nor once a second."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Readiness]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._clock = look, clock
        self._found: tuple[float, Readiness] | None = None
        self._looking = anyio.Lock()

    async def now(self) -> Readiness:
        """What was found less than `FRESH` ago."""
        async with self._looking:
            if self._found is None or self._clock() - self._found[0] >= FRESH:
                found = await self._look()
                self._found = (self._clock(), found)
            return self._found[1]


async def readiness(service: Service, blocking: Blocking) -> Readiness:
    """The catalogue, the model and the stores; of those of knowledge bases the first one's.

    Of everything, whoever asks, side by side.
    """
    engine, kbs = service.engine, list[KnowledgeBase]()

    def catalogue() -> str:
        with access.acting_as(access.ANYBODY):
            kbs.extend(engine.knowledge_bases.all())
        return f"{len(kbs)} knowledge bases"

    checks = await _checked(
        blocking,
        {
            "catalogue": catalogue,
            "model": lambda: ", ".join(sorted(_models(engine))) or "none was needed yet",
            "stores": lambda: "hold something" if engine.stores.generations() else "are empty",
        },
    )
    if kbs:
        first, name = kbs[0].generation.id, kbs[0].name
        vectors, words = engine.stores.vectors, engine.stores.lexical
        checks += await _checked(
            blocking,
            {
                "vectors": lambda: f"{vectors(first).count()} in {name}",
                "words": lambda: f"{words(first).count()} in {name}",
            },
        )
    return Readiness(tuple(checks), tuple(kbs))


def _models(engine: Engine) -> set[str]:
    """Those that are loaded: a process that serves has one from its start."""
    return {embedder.identity.name for embedder in engine.embedders.loaded()}


async def _checked(blocking: Blocking, looks: Mapping[str, Callable[[], str]]) -> list[Check]:
    found: dict[str, Check] = {}

    async def look(name: str) -> None:
        found[name] = await _check(blocking, name, looks[name])

    async with anyio.create_task_group() as tasks:
        for name in looks:
            tasks.start_soon(look, name)
    return [found[name] for name in looks]


async def _check(blocking: Blocking, name: str, look: Callable[[], str]) -> Check:
    try:
        with anyio.fail_after(PATIENCE):
            return Check(name, True, await blocking.wait(look))
    except TimeoutError:
        return Check(name, False, f"It doesn't answer within {PATIENCE:g} seconds.")
    except RetrievalError as error:
        return Check(name, False, str(error))
