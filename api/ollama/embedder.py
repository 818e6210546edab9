"""The embedder of this process as a model of Ollama's."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from api.errors import refused
from api.routes.dependencies import Blocking
from api.wire.models import Card, Completion, Embedded, EmbeddingTimes, Part
from api.wire.names import ModelName
from api.wire.refusals import Refusal
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.identity import ModelIdentity
from retrieval.embedding.lanes import Lane
from retrieval.embedding.requests import Request
from retrieval.embedding.tokens import TokenizedText
from retrieval.errors import EmbeddingFailed, Overloaded, RetrievalError, TextTooLong

_TOO_LONG = "the input length exceeds the context length"
_BUSY = "server busy, please try again.  maximum pending requests exceeded"
_NAMES = {"all-minilm-l6-v2": "all-minilm"}  # where Ollama's library has another name for it

_QUANTIZATIONS = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "int8": "Q8_0"}
_TOKENIZER = "tokenizer.huggingface.json"  # as GGUF's specification calls it
_MOST_URGENT = 256  # texts; of more in one call nobody waits for each
MOST_TEXTS = 100_000  # in one call
_TOGETHER = 2_048  # texts that are tokenised while those before them are embedded
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
        identity = embedder.identity
        self.card = Card(
            name=(name := _name(identity.name)),
            digest=identity.weights if re.fullmatch("[0-9a-f]{64}", identity.weights) else "0" * 64,
            size=0,
            modified_at=since,
            capabilities=("embedding",),
            format="safetensors",
            family="bert",
            parameter_size="",
            quantization=_QUANTIZATIONS.get(
                identity.dtype.partition("-")[0], identity.dtype.upper()
            ),
            context_length=identity.window,
            embedding_length=identity.dimension,
            parameters=f"num_ctx                        {identity.window}",
            model_info={
                "general.architecture": "bert",
                "bert.context_length": identity.window,
                "bert.embedding_length": identity.dimension,
                "bert.pooling_type": identity.pooling,
            },
            verbose_info={_TOKENIZER: embedder.tokenizer} if embedder.tokenizer else {},
        )
        self._keys = {name.key, exact_name(identity).key}

    def goes_by(self, name: ModelName) -> bool:
        """Whether it is called so, be it by its exact name."""
        return name.key in self._keys

    async def embed(
        self, texts: Sequence[str], limit: int, truncate: bool, urgent: bool = False
    ) -> Embedded:
        lane = Lane.QUESTION if urgent and len(texts) <= _MOST_URGENT else Lane.CALL
        if len(texts) > MOST_TEXTS:
            raise Refusal(400, f"{len(texts)} texts in one request; {MOST_TEXTS} are the most")
        try:
            return await self._embed(texts, limit, truncate, lane)
        except Overloaded as error:
            raise Refusal(429, _BUSY, retry_after=error.retry_after) from error
        except EmbeddingFailed as error:  # as it would again: nobody is to come back with it
            raise Refusal(500, str(error)) from error
        except RetrievalError as error:
            raise refused(error) from error

    async def complete(self, _completion: Completion) -> AsyncGenerator[Part]:
        raise Refusal(400, f'"{self.card.name.model}" does not support chat')
        yield Part()

    async def _embed(
        self, texts: Sequence[str], limit: int, truncate: bool, lane: Lane
    ) -> Embedded:
        self._embedder.check_room(len(texts), lane)
        requests: list[Request] = []
        tokenising = 0.0
        try:
            for at in range(0, len(texts), _TOGETHER):
                began = time.perf_counter()
                fitted = await self._fitted(texts[at : at + _TOGETHER], limit, truncate)
                tokenising += time.perf_counter() - began
                requests.append(self._embedder.submit(fitted, lane))
            vectors = [await asyncio.wrap_future(request.done) for request in requests]
        finally:
            for request in requests:
                request.done.cancel()
        timings = [request.timings for request in requests]
        return Embedded(
            vectors[0] if len(vectors) == 1 else np.concatenate(vectors),
            sum(one.tokens for one in timings),
            EmbeddingTimes(
                tokenising,
                timings[0].queued,
                max(one.completed for one in timings) - min(one.began for one in timings),
            ),
        )

    async def _fitted(
        self, texts: Sequence[str], limit: int, truncate: bool
    ) -> list[TokenizedText]:
        """What is read of each text. Raises Refusal where one is too long and mayn't be cut."""
        read = self._embedder.read
        try:
            if sum(map(len, texts)) <= _AT_ONCE:
                return read(texts, limit, cut=truncate)
            return await self._blocking.compute(read, texts, limit, cut=truncate)
        except TextTooLong as error:
            raise Refusal(400, _TOO_LONG) from error


def exact_name(identity: ModelIdentity) -> ModelName:
    """The name with the fingerprint for a tag: no other model answers to it."""
    return replace(_name(identity.name), tag=identity.fingerprint)


def _name(identity: str) -> ModelName:
    """The name under which clients know a model: the end of its path, in small letters."""
    last = identity.removeprefix("ollama:").rstrip("/").rsplit("/", 1)[-1].lower()
    model, _, tag = _NAMES.get(last, last).partition(":")
    model = re.sub(r"[^a-z0-9_.-]", "-", model).lstrip("-.") or "embedder"
    return ModelName(model[:80], tag or "latest")
