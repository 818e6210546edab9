"""Whether the service can work: its model and each of its stores, looked at now."""

from collections.abc import Callable
from dataclasses import dataclass

from api.service import Service
from retrieval.errors import RetrievalError
from retrieval.types import KnowledgeBase


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


def readiness(service: Service) -> Readiness:
    """The catalogue, the model and the stores; of those of knowledge bases the first one's."""
    engine, kbs = service.engine, list[KnowledgeBase]()

    def catalogue() -> str:
        kbs.extend(engine.knowledge_bases.all())
        return f"{len(kbs)} knowledge bases"

    checks = [
        _check("catalogue", catalogue),
        _check("model", lambda: engine.embedder.identity.name),
        _check("stores", lambda: "hold something" if engine.stores.generations() else "are empty"),
    ]
    if kbs:
        first, name = kbs[0].generation.id, kbs[0].name
        vectors, words = engine.stores.vectors, engine.stores.lexical
        checks += [
            _check("vectors", lambda: f"{vectors(first).count()} in {name}"),
            _check("words", lambda: f"{words(first).count()} in {name}"),
        ]
    return Readiness(tuple(checks), tuple(kbs))


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except RetrievalError as error:
        return Check(name, False, str(error))
