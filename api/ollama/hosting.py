"""The models that this server has: its knowledge bases and its embedder."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from api.ollama.embedder import EmbedderModel
from api.ollama.knowledge_base import NAMESPACE, KnowledgeBaseModel, card
from api.routes.dependencies import Blocking
from api.service import Service
from api.wire.models import Card, Model
from api.wire.names import ModelName
from api.wire.native import CreateRequest
from api.wire.refusals import Refusal
from retrieval.errors import InvalidRequest, KnowledgeBaseNotFound, ModelServerError

_NO_SERVER = (
    "this server keeps no models of its own, and no Ollama server is configured (OLLAMA_HOST)"
)
_BUILT_IN = "{} is built in: it can't be copied, created anew or deleted here"
_KNOWLEDGE_BASE = (
    "{} is a knowledge base: PUT and DELETE /kb/{}, or `footnote kb`, make and unmake it"
)


class HostedModels:
    """Finds and lists them. What would change them is refused: documents aren't a model's file."""

    def __init__(self, service: Service, blocking: Blocking) -> None:
        self._service, self._blocking = service, blocking
        embedder = service.engine.embedder
        self._embedder = (
            None
            if embedder.identity.name.startswith("ollama:")  # it is there that it is a model
            else EmbedderModel(embedder, blocking, datetime.now(UTC))
        )

    async def find(self, name: ModelName) -> Model | None:
        if self._embedder and self._embedder.goes_by(name):
            return self._embedder
        if not owns(name):
            return None
        engine = self._service.engine
        try:
            kb = await self._blocking.call(engine.knowledge_bases.get, name.model.lower())
            answered_by = await engine.responding.model(kb, name.tag)
        except (KnowledgeBaseNotFound, InvalidRequest):
            return None
        except ModelServerError as error:
            raise Refusal(502, str(error)) from error
        return KnowledgeBaseModel(self._service, self._blocking, kb, answered_by, name.tag)

    def owned(self, name: ModelName) -> bool:
        """Whether a name is one of this server's, be there such a model or not."""
        return owns(name) or bool(self._embedder and self._embedder.goes_by(name))

    async def cards(self) -> Sequence[Card]:
        engine = self._service.engine
        kbs = await self._blocking.call(engine.knowledge_bases.all)
        found = [card(self._service, kb, engine.responding.default_model(kb)) for kb in kbs]
        embedder = [self._embedder.card] if self._embedder else []
        return sorted([*found, *embedder], key=lambda one: one.modified_at, reverse=True)

    async def copy(self, source: ModelName, _destination: ModelName) -> None:
        _refuse(source)

    async def delete(self, name: ModelName) -> None:
        _refuse(name)

    async def pull(self, name: ModelName) -> AsyncGenerator[Mapping[str, Any]]:
        yield {"status": "pulling manifest"}
        if await self.find(name) is None:
            raise Refusal(500, f"pull model manifest: {_NO_SERVER}")
        yield {"status": "success"}

    async def push(self, name: ModelName) -> AsyncGenerator[Mapping[str, Any]]:
        yield {"status": "retrieving manifest"}
        raise Refusal(500, _NO_SERVER if not self.owned(name) else _said(name))

    async def create(
        self, name: ModelName, _request: CreateRequest
    ) -> AsyncGenerator[Mapping[str, Any]]:
        raise Refusal(400, _said(name) if self.owned(name) else _NO_SERVER)
        yield {}

    async def has_blob(self, _digest: str) -> bool:
        return False

    async def add_blob(self, _digest: str, data: AsyncIterator[bytes]) -> bool:
        async for _part in data:
            pass
        raise Refusal(400, _NO_SERVER)


def owns(name: ModelName) -> bool:
    """Whether a name is that of a knowledge base."""
    return name.namespace.lower() == NAMESPACE


def _said(name: ModelName) -> str:
    if owns(name):
        return _KNOWLEDGE_BASE.format(name.short, name.model)
    return _BUILT_IN.format(name.short)


def _refuse(name: ModelName) -> NoReturn:
    raise Refusal(400, _said(name))
