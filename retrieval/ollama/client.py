"""The calls of Ollama's API."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Self

from retrieval.errors import ModelServerBroken, ModelServerRefused
from retrieval.ollama.connection import Connection
from retrieval.ollama.types import ChatPart, Embeddings, ModelSummary, Progress, Shown
from retrieval.ollama.values import Json, field, items

_NO_SUCH_CALL = "404 page not found"  # as a server too old for a call says it
_URGENT = {"priority": "u=1"}  # RFC 9218
_UNGENERATIVE = "does not support generate"


class OllamaClient:
    """Talks to one Ollama server. Every method raises ModelServerError.

    What changes nothing is asked again while the server is unavailable; a stream only until its
    first line has come.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.__aexit__()

    @property
    def url(self) -> str:
        return self._connection.url

    async def version(self) -> str:
        version = field(await self._connection.persist("GET", "/api/version"), "version", str)
        if not version:
            raise ModelServerBroken(f"{self.url}/api/version answered without a version.")
        return version

    async def tags(self) -> list[ModelSummary]:
        """The models that the server has."""
        return _summaries(await self._connection.persist("GET", "/api/tags"))

    async def running(self) -> list[ModelSummary]:
        """The models that are loaded."""
        return _summaries(await self._connection.persist("GET", "/api/ps"))

    async def show(self, model: str, *, verbose: bool = False) -> Shown:
        """What is known of a model; with `verbose` its vocabulary too."""
        body = {"model": model, "verbose": verbose}
        return Shown.of(await self._connection.persist("POST", "/api/show", body))

    async def embed(
        self,
        model: str,
        texts: Sequence[str],
        *,
        keep_alive: float | str | None = None,
        options: Mapping[str, Any] | None = None,
        dimensions: int | None = None,
        urgent: bool = False,
    ) -> Embeddings:
        """The vectors of texts, in their order; a text that is too long is refused, not cut.

        `urgent` ones come before others where the server has an ear for that, as ours.
        A server without /api/embed (before 0.2.6) is asked text by text.
        """
        given = {"keep_alive": keep_alive, "options": options, "dimensions": dimensions}
        known = {name: value for name, value in given.items() if value is not None}
        body = {"model": model, "input": list(texts), "truncate": False, **known}
        try:
            hurry = _URGENT if urgent else {}
            reply = await self._connection.persist("POST", "/api/embed", body, hurry)
        except ModelServerRefused as refusal:
            if refusal.status != 404 or refusal.reason != _NO_SUCH_CALL:
                raise
            return await self._embed_singly(model, texts, known)
        if reply.get("embeddings") is None:
            raise ModelServerBroken(f"{self.url}/api/embed answered without embeddings.")
        return Embeddings(items(reply, "embeddings", list), field(reply, "prompt_eval_count", int))

    async def _embed_singly(
        self, model: str, texts: Sequence[str], known: Mapping[str, Any]
    ) -> Embeddings:
        if "dimensions" in known:
            raise ModelServerBroken(f"{self.url} is too old to shorten embeddings.")
        vectors = []
        for text in texts:
            body = {"model": model, "prompt": text, **known}
            reply = await self._connection.persist("POST", "/api/embeddings", body)
            vectors.append(field(reply, "embedding", list) or [])
        return Embeddings(vectors, normalised=False)

    def chat(self, body: Mapping[str, Any]) -> AsyncGenerator[ChatPart]:
        """The parts of an answer. One that ends before it is done raises ModelServerBroken."""
        return self._parts("/api/chat", body)

    def generate(self, body: Mapping[str, Any]) -> AsyncGenerator[ChatPart]:
        """The same for a prompt."""
        return self._parts("/api/generate", body)

    async def _parts(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[ChatPart]:
        done = False
        async with aclosing(self._connection.stream(path, body)) as lines:
            async for line in lines:
                part = ChatPart.of(line)
                done = done or part.done
                yield part
        if not done:
            raise ModelServerBroken(f"The answer of {self.url}{path} broke off before its end.")

    def pull(self, model: str, *, insecure: bool = False) -> AsyncGenerator[Progress]:
        """Fetch a model; what an earlier attempt fetched isn't fetched again."""
        return self._progress("/api/pull", {"model": model, "insecure": insecure})

    def push(self, model: str, *, insecure: bool = False) -> AsyncGenerator[Progress]:
        return self._progress("/api/push", {"model": model, "insecure": insecure})

    def create(self, body: Mapping[str, Any]) -> AsyncGenerator[Progress]:
        """Make a model: `model` and `from`, `system`, `parameters` ... as Ollama has it."""
        return self._progress("/api/create", body)

    async def _progress(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[Progress]:
        last = Progress("")
        async with aclosing(self._connection.stream(path, body)) as lines:
            async for line in lines:
                last = Progress.of(line)
                yield last
        if last.status != "success":
            raise ModelServerBroken(f"{self.url}{path} ended at {last.status!r}.")

    async def copy(self, source: str, destination: str) -> None:
        body = {"source": source, "destination": destination}
        await self._connection.ask("POST", "/api/copy", body)

    async def delete(self, model: str) -> None:
        await self._connection.ask("DELETE", "/api/delete", {"model": model})

    async def load(self, model: str, keep_alive: float | str | None = None) -> None:
        """Load a model, to stay for `keep_alive` (seconds, or a duration like "1h")."""
        stay = {} if keep_alive is None else {"keep_alive": keep_alive}
        try:
            await self._connection.persist(
                "POST", "/api/generate", {"model": model, "prompt": "", "stream": False, **stay}
            )
        except ModelServerRefused as refusal:
            if _UNGENERATIVE not in refusal.reason:
                raise
            await self._connection.persist("POST", "/api/embed", {"model": model, **stay})

    async def unload(self, model: str) -> None:
        await self.load(model, keep_alive=0)


def _summaries(reply: Json) -> list[ModelSummary]:
    return [ModelSummary.of(one) for one in items(reply, "models", dict)]
