"""Footnote servers that embed for this process and share the work.

The one with the least in flight is asked. One that fails is left alone for a while, longer each
time, and asked for texts again when it answers a small question. No request is for a model by its
name alone, so that a server that has another one by now refuses it.
"""

import itertools
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

import anyio
import structlog
from anyio.abc import TaskGroup

from retrieval.embedding.identity import ModelIdentity
from retrieval.embedding.offers import Offer, offer_of, strange
from retrieval.embedding.received import are_unit, received
from retrieval.errors import (
    EmbeddingFailed,
    ModelServerBroken,
    ModelServerCrashed,
    ModelServerError,
    ModelServerRefused,
    ModelServerUnavailable,
    ModelUnavailable,
    TextTooLong,
)
from retrieval.ollama.address import Kind
from retrieval.ollama.client import OllamaClient
from retrieval.ollama.connection import Connection, Timeouts
from retrieval.ollama.retry import Retry
from retrieval.ollama.values import Json
from retrieval.types import Vectors

_log = structlog.get_logger()

_KIND = Kind(
    name="embedding server",
    setting="FOOTNOTE_EMBEDDING_URL",
    key="FOOTNOTE_EMBEDDING_API_KEY",
    example="http://gpu1:7373",
)
# A request holds a few batches at the most, and waits behind those of others.
_TIMEOUTS = Timeouts(first_byte=60.0, between=30.0, lookup=10.0)
_ONCE = Retry(attempts=1)  # another server is asked instead
_TOKENIZER = "tokenizer.huggingface.json"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Which servers embed: their URLs, none where this process does it, and the key for them.

    One that fails is left alone as `rest` says; when all are, a call waits `patience` seconds.
    """

    urls: tuple[str, ...] = ()
    api_key: str = field(default="", repr=False)
    rest: Retry = field(default_factory=lambda: Retry(first=1.0, most=60.0))
    patience: float = 5.0
    timeouts: Timeouts = _TIMEOUTS


class _Server:
    """One of them: how much it is asked for now, and why it is left alone, if it is."""

    def __init__(self, url: str, settings: ServerSettings) -> None:
        self.connection = Connection(url, settings.api_key, _ONCE, settings.timeouts, kind=_KIND)
        self.client = OllamaClient(self.connection)
        self.in_flight = 0  # tokens
        self.turn = 0  # when it was asked last
        self.failures = 0  # since it embedded anything
        self.away: ModelServerError | None = None

    @property
    def url(self) -> str:
        return self.connection.url


class EmbeddingServers:
    """Asks them. An event loop's own; an asynchronous context manager."""

    def __init__(self, settings: ServerSettings) -> None:
        """Raises InvalidRequest for a URL that is none."""
        self._settings = settings
        self._servers = [_Server(url, settings) for url in settings.urls]
        self._turns = itertools.count(1)
        self._resources = AsyncExitStack()
        self._changed = anyio.Event()
        self._tasks: TaskGroup

    async def __aenter__(self) -> Self:
        for server in self._servers:
            await self._resources.enter_async_context(server.client)
        self._tasks = await self._resources.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._tasks.cancel_scope.cancel()
        await self._resources.aclose()

    async def open(self, model: str) -> Offer:
        """What all that are there offer, a model of this name.

        Those that aren't are left alone until they are. Raises ModelUnavailable where one has
        another model or isn't a Footnote server, ModelServerError where none is there or one
        refuses.
        """
        infos: dict[_Server, Json] = {}
        failed: dict[_Server, ModelServerError] = {}

        async def look(server: _Server) -> None:
            try:
                infos[server] = await server.connection.ask("GET", "/info")
            except ModelServerError as error:
                failed[server] = error

        async with anyio.create_task_group() as looks:
            for server in self._servers:
                looks.start_soon(look, server)
        for server, error in failed.items():
            if _is_missing(error):
                raise strange(server.url) from error
            if not isinstance(error, ModelServerUnavailable):
                raise error
        if not infos:
            raise ModelServerUnavailable("; ".join(map(str, failed.values())))
        offers = {server.url: offer_of(info, server.url) for server, info in infos.items()}
        self._offer = _agreed(offers, model)
        for server, error in failed.items():
            self._leave(server, error)
        return self._offer

    async def tokenizer(self) -> str:
        """How the model tokenises, as the `tokenizers` library writes it; empty where no server
        says. Raises ModelServerError.
        """
        server = await self._free((), anyio.current_time())
        if server is None:
            raise self._none()
        shown = await server.client.show(self._offer.name, verbose=True)
        return str(shown.model_info.get(_TOKENIZER, ""))

    async def embed(self, texts: Sequence[str], tokens: int, urgent: bool) -> Vectors:
        """`(n, d) float32` unit vectors of texts that have so many tokens together, before those of
        others where they are urgent.

        What one server can't do another is asked to. What all refuse is the fault of the texts, and
        raised; what one refuses and another embeds was that one's. Raises TextTooLong,
        EmbeddingFailed, ModelServerError; ModelUnavailable where all have another model by now.
        """
        refused: dict[_Server, ModelServerError] = {}
        until = anyio.current_time() + self._settings.patience
        while (server := await self._free(refused, until)) is not None:
            try:
                vectors = await self._ask(server, texts, tokens, urgent)
            except ModelServerError as error:
                if _is_about_the_texts(error):
                    refused[server] = error
                else:
                    self._leave(server, error)
            else:
                server.failures = 0
                for other, its in refused.items():
                    self._leave(other, its)
                return vectors
        if refused:
            raise next(reversed(refused.values()))
        raise self._none()

    async def _ask(
        self, server: _Server, texts: Sequence[str], tokens: int, urgent: bool
    ) -> Vectors:
        """Its vectors. Raises ModelServerError, TextTooLong."""
        server.in_flight += tokens
        server.turn = next(self._turns)
        try:
            came = await server.client.embed(self._offer.name, texts, urgent=urgent)
            vectors = received(came, len(texts), self._offer.identity)
        except EmbeddingFailed as error:
            raise ModelServerBroken(f"{server.url}: {error}") from error
        except ModelServerRefused as error:
            if "context length" in error.reason:
                raise TextTooLong(f"{server.url} finds a text too long: {error}") from error
            raise
        finally:
            server.in_flight -= tokens
        if not are_unit(vectors).all():
            raise ModelServerBroken(f"{server.url} sent a vector that isn't of unit length.")
        return vectors

    async def _free(self, besides: Collection[_Server], until: float) -> _Server | None:
        """The server with the least to do, of those that aren't left alone. Where all are, one that
        comes back in time; none where those `besides` were all there is.
        """
        while True:
            there = [one for one in self._servers if not one.away and one not in besides]
            if there:
                return min(there, key=lambda one: (one.in_flight, one.turn))
            if besides:
                return None
            with anyio.move_on_at(until) as waiting:
                await self._changed.wait()
            if waiting.cancelled_caught:
                return None

    def _leave(self, server: _Server, error: ModelServerError) -> None:
        """Ask it for nothing until it is found to be back."""
        if server.away is None:
            server.away = error
            self._tasks.start_soon(self._look_after, server)

    async def _look_after(self, server: _Server) -> None:
        while server.away:
            server.failures += 1
            asked = getattr(server.away, "retry_after", 0)
            pause = max(asked, self._settings.rest.pause(server.failures))
            _log.warning(
                "embedding_server_left_alone",
                url=server.url,
                seconds=round(pause, 1),
                error=str(server.away),
            )
            await anyio.sleep(pause)
            try:
                await server.client.show(self._offer.name)
            except ModelServerError as error:
                server.away = error
            else:
                server.away = None
        _log.info("embedding_server_back", url=server.url)
        self._changed.set()
        self._changed = anyio.Event()

    def _none(self) -> ModelServerError | ModelUnavailable:
        """Why nobody embeds now."""
        away = {one.url: one.away for one in self._servers if one.away}
        if len(away) == len(self._servers) and all(map(_is_missing, away.values())):
            return ModelUnavailable(
                f"{', '.join(away)} embed with another model by now than {self._offer.identity}. "
                f"Vectors of the two can't be compared: start again, with a new knowledge base or "
                f"the old model."
            )
        return ModelServerUnavailable(
            "No embedding server can be used now: " + "; ".join(map(str, away.values()))
        )


def _agreed(offers: dict[str, Offer], model: str) -> Offer:
    """What is the same in all offers, and the most that one of them takes at once. Raises
    ModelUnavailable, naming a server that has another model.
    """
    first_url, first = next(iter(offers.items()))
    for url, offer in offers.items():
        if offer.identity.name != model:
            raise ModelUnavailable(
                f"{url} embeds with {offer.identity}, but FOOTNOTE_EMBEDDING_MODEL is {model!r}."
            )
        if offer.identity != first.identity:
            raise ModelUnavailable(
                f"All servers of FOOTNOTE_EMBEDDING_URL have to embed with one model, but {url} "
                f"has {offer.identity} and {first_url} has {first.identity}: "
                f"{_difference(first.identity, offer.identity)}."
            )
    return Offer(
        identity=first.identity,
        name=first.name,
        batch_tokens=max(offer.batch_tokens for offer in offers.values()),
        parallel=max(offer.parallel for offer in offers.values()),
        request_bytes=min(offer.request_bytes for offer in offers.values()),
    )


def _difference(one: ModelIdentity, other: ModelIdentity) -> str:
    """In what two identities differ."""
    there = other.to_json()
    return ", ".join(
        f"{name} {there[name]!r} and {value!r}"
        for name, value in one.to_json().items()
        if there[name] != value
    )


def _is_about_the_texts(error: ModelServerError) -> bool:
    """Whether what failed may fail anywhere: for another reason a server is left alone."""
    if isinstance(error, ModelServerRefused):
        return not _is_missing(error)
    return isinstance(error, ModelServerCrashed)


def _is_missing(error: ModelServerError) -> bool:
    """Whether it hasn't what it was asked for: `/info`, or the model that it had."""
    return isinstance(error, ModelServerRefused) and error.status == 404
