"""The embedder of each knowledge base: that of its own model, loaded when it is first needed."""

import threading
from collections.abc import Callable

from retrieval.embedding.scheduler import Embedder
from retrieval.errors import ModelMismatch
from retrieval.ports import EmbeddingBackend
from retrieval.types import KnowledgeBase

LoadModel = Callable[[str], EmbeddingBackend]
"""A model by the name in its identity. Raises ModelUnavailable, ModelServerError."""


class Embedders:
    """Embedders by the name of their model; new knowledge bases get the default one."""

    def __init__(self, default: Embedder, load: LoadModel) -> None:
        self._load = load
        self._default = default
        self._loaded = {default.identity.name: default}
        self._lock = threading.Lock()

    def named(self, name: str) -> Embedder:
        """The embedder of a model. Raises ModelUnavailable, ModelServerError."""
        with self._lock:
            if name not in self._loaded:
                embedder = Embedder(self._load(name))
                self._loaded[name] = embedder
                self._loaded.setdefault(embedder.identity.name, embedder)
            return self._loaded[name]

    def of(self, kb: KnowledgeBase) -> Embedder:
        """The embedder of a knowledge base's generation.

        Raises ModelMismatch where the model of that name isn't the one that it was built with.
        """
        model = kb.generation.model
        embedder = self.named(model.name)
        if embedder.identity.fingerprint != model.fingerprint:
            raise ModelMismatch(kb.name, str(model), str(embedder.identity))
        return embedder

    def refuses(self, kb: KnowledgeBase) -> bool:
        """Whether a knowledge base is known to need another model of the same name."""
        loaded = self._loaded.get(kb.generation.model.name)
        return bool(loaded and loaded.identity.fingerprint != kb.generation.model.fingerprint)

    def close(self) -> None:
        for embedder in {id(one): one for one in self._loaded.values()}.values():
            embedder.close()
