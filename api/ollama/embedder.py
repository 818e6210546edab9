"""The embedder of this process as a model of Ollama's."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

import anyio
import numpy as np

from api.routes.dependencies import Blocking
from api.wire.models import Card, Completion, Embedded, Part
from api.wire.names import ModelName
from api.wire.refusals import Refusal
from retrieval.embedding.lanes import Lane
from retrieval.embedding.scheduler import Embedder
from retrieval.errors import RetrievalError
from retrieval.types import Vector

_TOO_LONG = "the input length exceeds the context length"
_BUSY = "server busy, please try again.  maximum pending requests exceeded"
_NAMES = {"all-minilm-l6-v2": "all-minilm"}  # where Ollama's library has another name for it

# Texts in the embedder's hands; the calls beyond wait with their texts, up to so many.
_IN_HAND = 8_192
_WAITING_CALLS = 16_384
MOST_TEXTS = 100_000  # in one call
# Characters that are tokenised sooner (0.1 ms a thousand) than a thread is found for them.
_AT_ONCE = 4_000


class EmbedderModel:
    """Embeds for clients, with Ollama's semantics, beside what this process embeds for itself.

    Texts of all calls share batches. What is embedded is the text alone: prefixes are added by
    those who ask questions, not by an embedding API.
    """

    def __init__(self, embedder: Embedder, blocking: Blocking, since: datetime) -> None:
        self._embedder = embedder
        self._blocking = blocking
        self._room = anyio.Semaphore(_IN_HAND)
        self._turn = anyio.Lock()
        self._calls = 0
        identity = embedder.identity
        self.card = Card(
            name=_name(identity.name),
            digest=identity.weights if re.fullmatch("[0-9a-f]{64}", identity.weights) else "0" * 64,
            size=0,
            modified_at=since,
            capabilities=("embedding",),
            format="safetensors",
            family="bert",
            parameter_size="",
            quantization=identity.dtype.upper(),
            context_length=identity.window,
            embedding_length=identity.dimension,
            parameters=f"num_ctx                        {identity.window}",
            model_info={
                "general.architecture": "bert",
                "bert.context_length": identity.window,
                "bert.embedding_length": identity.dimension,
                "bert.pooling_type": identity.pooling,
            },
        )

    async def embed(self, texts: Sequence[str], limit: int, truncate: bool) -> Embedded:
        if self._calls >= _WAITING_CALLS:
            raise Refusal(503, _BUSY)
        if len(texts) > MOST_TEXTS:
            raise Refusal(400, f"{len(texts)} texts in one request; {MOST_TEXTS} are the most")
        self._calls += 1
        try:
            return await self._embed(texts, limit, truncate)
        except RetrievalError as error:
            raise Refusal(503, str(error)) from error
        finally:
            self._calls -= 1

    async def complete(self, _completion: Completion) -> AsyncGenerator[Part]:
        raise Refusal(400, f'"{self.card.name.model}" does not support chat')
        yield Part()

    async def _embed(self, texts: Sequence[str], limit: int, truncate: bool) -> Embedded:
        vectors = np.empty((len(texts), self.card.embedding_length), dtype=np.float32)
        read = 0
        for start in range(0, len(texts), _IN_HAND):
            part = texts[start : start + _IN_HAND]
            if sum(map(len, part)) <= _AT_ONCE:
                fitted = self._fit(part, limit, truncate)
            else:
                fitted = await self._blocking.call(self._fit, part, limit, truncate)
            read += sum(count for _, count in fitted)
            vectors[start : start + len(part)] = await self._vectors(fitted)
        return Embedded(vectors, read)

    def _fit(self, texts: Sequence[str], limit: int, truncate: bool) -> list[tuple[str, int]]:
        """What is read of each text, and how many tokens that is."""
        counts = self._embedder.count_raw(texts)
        if max(counts, default=0) > limit and not truncate:
            raise Refusal(400, _TOO_LONG)
        return [
            (text, count) if count <= limit else self._embedder.fit(text, limit)
            for text, count in zip(texts, counts, strict=True)
        ]

    async def _vectors(self, fitted: list[tuple[str, int]]) -> list[Vector]:
        texts, counts = zip(*fitted, strict=True)
        futures: list[asyncio.Future[Vector]] = []
        taken = 0
        try:
            async with self._turn:  # or two calls that each have half of the room wait for ever
                for _ in texts:
                    await self._room.acquire()
                    taken += 1
            work = self._embedder.submit(texts, Lane.CALL, counts)
            futures = [asyncio.wrap_future(one) for one in work]
            return await asyncio.gather(*futures)
        finally:
            for future in futures:
                future.cancel()
            for _ in range(taken):
                self._room.release()


def _name(identity: str) -> ModelName:
    """The name under which clients know a model: the end of its path, in small letters."""
    last = identity.removeprefix("ollama:").rstrip("/").rsplit("/", 1)[-1].lower()
    model, _, tag = _NAMES.get(last, last).partition(":")
    model = re.sub(r"[^a-z0-9_.-]", "-", model).lstrip("-.") or "embedder"
    return ModelName(model[:80], tag or "latest")
