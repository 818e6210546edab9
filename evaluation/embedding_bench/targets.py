"""What is measured side by side: a model by a backend on this machine, or a server by its URL."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from evaluation.embedding_bench.backends import BACKENDS
from evaluation.errors import ConfigurationError

_RAW = "raw:"
_HTTP = ("http://", "https://")


class Kind(StrEnum):
    """How a target is driven."""

    SCHEDULED = "scheduled"  # a backend under Footnote's scheduler, as users have it
    RAW = "raw"  # a backend alone, in a loop
    LIBRARY = "sentence-transformers"  # that library with its own defaults
    OLLAMA = "ollama"
    OPENAI = "openai"
    TEI = "tei"


@dataclass(frozen=True, slots=True)
class Target:
    """One of those compared. `name` is as it was given, and what tells it from the others.

    `budget` is the padded tokens of a batch where they aren't the backend's own. A server has a
    `url`, and no backend; TEI has no model either, for it serves one alone.
    """

    name: str
    kind: Kind
    model: str = ""
    backend: str = ""
    url: str = ""
    budget: int | None = None

    @property
    def is_local(self) -> bool:
        return not self.url


def parse_target(text: str, model: str) -> Target:
    """The target of `BACKEND`, `MODEL@BACKEND` or `KIND+URL`; `model` is that of a backend alone.

    Raises ConfigurationError.
    """
    kind, plus, url = text.partition("+")
    if plus and url.startswith(_HTTP):
        return _server(text, kind, url)
    if "://" in text:
        raise ConfigurationError(
            f"The target {text!r} doesn't say what kind of server it is: write "
            f"{', '.join(f'{one}+URL' for one in (Kind.OLLAMA, Kind.OPENAI, Kind.TEI))}."
        )
    before, at, after = text.rpartition("@")
    if at and not before:
        raise ConfigurationError(f"The target {text!r} names no model before its @.")
    found, backend = before or model, after
    if backend == Kind.LIBRARY:
        return Target(text, Kind.LIBRARY, found, backend)
    raw = backend.startswith(_RAW)
    if backend.removeprefix(_RAW) not in BACKENDS:
        raise ConfigurationError(
            f"The target {text!r} names no backend that there is: {', '.join(BACKENDS)}, each also "
            f"after {_RAW!r}, and {Kind.LIBRARY}. A model goes before it, as in all-MiniLM-L6-v2@"
            f"{BACKENDS[1]}; a server is given as ollama+URL, openai+URL or tei+URL."
        )
    return Target(text, Kind.RAW if raw else Kind.SCHEDULED, found, backend.removeprefix(_RAW))


def with_budgets(targets: Sequence[Target], budgets: Sequence[int]) -> tuple[Target, ...]:
    """Each target whose batches are ours at each budget; no two of one name."""
    return tuple(_distinct([one for target in targets for one in _at(target, budgets)]))


def _at(target: Target, budgets: Sequence[int]) -> Iterator[Target]:
    if not budgets or target.kind not in (Kind.SCHEDULED, Kind.RAW):
        yield target
        return
    for budget in budgets:
        yield replace(target, name=f"{target.name}, {budget} tokens", budget=budget)


def _distinct(targets: Sequence[Target]) -> Iterator[Target]:
    """The same target twice shows what is noise: the second is told from the first."""
    seen: Counter[str] = Counter()
    for target in targets:
        seen[target.name] += 1
        count = seen[target.name]
        yield target if count == 1 else replace(target, name=f"{target.name} ({count})")


def _server(text: str, kind: str, url: str) -> Target:
    if kind not in (Kind.OLLAMA, Kind.OPENAI, Kind.TEI):
        raise ConfigurationError(
            f"The target {text!r} is of no kind of server that is known: ollama, openai or tei."
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # the port is read, and so checked, only here
    except ValueError as error:
        raise ConfigurationError(
            f"The target {text!r} has no URL that can be read: {error}."
        ) from (error)
    if not host:
        raise ConfigurationError(f"The target {text!r} names no host.")
    root = f"{parts.scheme}://{parts.netloc}"
    if kind == Kind.TEI:
        return Target(text, Kind.TEI, url=f"{root}{parts.path.rstrip('/')}")
    if kind == Kind.OLLAMA:
        below, model = "", parts.path.strip("/")
    else:
        before, version, model = parts.path.partition("/v1/")
        below, model = f"{before}/v1", model.strip("/") if version else ""
    if not model:
        form = "http://HOST:PORT/MODEL" if kind == Kind.OLLAMA else "http://HOST:PORT/v1/MODEL"
        raise ConfigurationError(f"The target {text!r} names no model: write {kind}+{form}.")
    return Target(text, Kind(kind), model, url=f"{root}{below}")
