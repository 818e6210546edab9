"""The models that the stand-in has, and what copying, pulling and deleting does to them."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from api.standin.chatting import ChatModel, Script, echo
from api.standin.embedding import EmbeddingModel
from api.wire.models import Card, Completion, Embedded, Model, Part
from api.wire.names import ModelName
from api.wire.native import CreateRequest
from api.wire.refusals import Refusal

_MISSING = "pull model manifest: file does not exist"
_LAYER = 1_000_000  # bytes


class StandInModels:
    """Models in memory; `registry` are those that can be pulled."""

    def __init__(self, models: Iterable[Model], registry: Iterable[Model] = ()) -> None:
        self._models = {model.card.name.key: model for model in models}
        self._registry = {model.card.name.key: model for model in registry}
        self._blobs: set[str] = set()

    async def find(self, name: ModelName) -> Model | None:
        return self._models.get(name.key)

    async def cards(self) -> Sequence[Card]:
        return sorted(
            (model.card for model in self._models.values()),
            key=lambda card: card.modified_at,
            reverse=True,
        )

    async def copy(self, source: ModelName, destination: ModelName) -> None:
        self._models[destination.key] = _Renamed(self._models[source.key], destination)

    async def delete(self, name: ModelName) -> None:
        del self._models[name.key]

    async def pull(self, name: ModelName) -> AsyncGenerator[Mapping[str, Any]]:
        yield {"status": "pulling manifest"}
        model = self._registry.get(name.key) or self._models.get(name.key)
        if model is None:
            raise Refusal(500, _MISSING)
        digest = f"sha256:{model.card.digest}"
        layer = {"status": f"pulling {model.card.digest[:12]}", "digest": digest, "total": _LAYER}
        yield layer
        for completed in (_LAYER // 2, _LAYER):
            yield {**layer, "completed": completed}
        yield {"status": "verifying sha256 digest"}
        yield {"status": "writing manifest"}
        self._models[name.key] = model
        yield {"status": "success"}

    async def push(self, name: ModelName) -> AsyncGenerator[Mapping[str, Any]]:
        yield {"status": "retrieving manifest"}
        if name.namespace == "library":
            raise Refusal(500, f"unqualified name: {name.full}")
        yield {"status": "success"}

    async def create(
        self, name: ModelName, request: CreateRequest
    ) -> AsyncGenerator[Mapping[str, Any]]:
        source = self._models.get(ModelName(request.source).key)
        if source is None:
            raise Refusal(500, _MISSING)
        yield {"status": f"using existing layer sha256:{source.card.digest}"}
        yield {"status": "writing manifest"}
        self._models[name.key] = _Renamed(source, name)
        yield {"status": "success"}

    async def has_blob(self, digest: str) -> bool:
        return digest in self._blobs

    async def add_blob(self, digest: str, data: AsyncIterator[bytes]) -> bool:
        async for _part in data:
            pass
        new = digest not in self._blobs
        self._blobs.add(digest)
        return new


class _Renamed:
    """A model under another name."""

    def __init__(self, model: Model, name: ModelName) -> None:
        self._model = model
        self.card = replace(model.card, name=name)

    async def embed(
        self, texts: Sequence[str], limit: int, truncate: bool, urgent: bool = False
    ) -> Embedded:
        return await self._model.embed(texts, limit, truncate, urgent)

    def complete(self, completion: Completion) -> AsyncGenerator[Part]:
        return self._model.complete(completion)


def default_models(
    script: Script = echo, embedding_seconds: float = 0.0, part_seconds: float = 0.0
) -> list[Model]:
    """An embedding model, one that gives zeros, and chat models of each kind."""

    def chat(name: str, *capabilities: str, native: bool = False) -> ChatModel:
        return ChatModel(name, *capabilities, script=script, native=native, seconds=part_seconds)

    return [
        EmbeddingModel("all-minilm", seconds=embedding_seconds),
        EmbeddingModel("nan-embed", zeros=True),
        chat("tiny"),
        chat("tiny-tools", "tools"),
        chat("tiny-think", "thinking"),
        chat("tiny-native", native=True),
    ]
