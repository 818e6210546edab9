"""The embedder of each knowledge base: that of its own model, loaded when it is first needed."""

import threading
from collections.abc import Callable

from retrieval.embedding.embedder import Embedder
from retrieval.errors import ModelMismatch
from retrieval.ports import EmbeddingBackend
from retrieval.types import KnowledgeBase

LoadModel = Callable[[str, str], EmbeddingBackend]
"""A model by the name and the dtype in its identity; without a dtype, in whichever suits here, and
without a name the one that new knowledge bases get. Raises ModelUnavailable, ModelServerError.
"""


class Embedders:
    """Embedders by the name of their model and its dtype."""

    def __init__(self, load: LoadModel) -> None:
        self._load = load
        self._default: Embedder | None = None
        self._loaded: dict[tuple[str, str], Embedder] = {}
        self._lock = threading.Lock()

    @property
    def default(self) -> Embedder:
        """That of new knowledge bases. Raises ModelUnavailable, ModelServerError."""
        with self._lock:
            if self._default is None:
                self._default = self._open("", "")
            return self._default

    def named(self, name: str, dtype: str = "") -> Embedder:
        """The embedder of a model. Raises ModelUnavailable, ModelServerError."""
        default = self.default.identity
        if name == default.name and dtype in ("", default.dtype):
            return self.default
        with self._lock:
            return self._loaded.get((name, dtype)) or self._open(name, dtype)

    def of(self, kb: KnowledgeBase) -> Embedder:
        """The embedder of a knowledge base's generation.

        Raises ModelMismatch where the model of that name isn't the one that it was built with.
        """
        model = kb.generation.model
        embedder = self.named(model.name, model.dtype)
        if embedder.identity.fingerprint != model.fingerprint:
            raise ModelMismatch(kb.name, str(model), str(embedder.identity))
        return embedder

    def refuses(self, kb: KnowledgeBase) -> bool:
        """Whether a knowledge base is known to need another model of the same name."""
        model = kb.generation.model
        loaded = self._loaded.get((model.name, model.dtype))
        return bool(loaded and loaded.identity.fingerprint != model.fingerprint)

    def loaded(self) -> list[Embedder]:
        """Those that have been needed."""
        with self._lock:
            return list({id(one): one for one in self._loaded.values()}.values())

    def close(self) -> None:
        for embedder in self.loaded():
            embedder.close()

    def _open(self, name: str, dtype: str) -> Embedder:
        backend = self._load(name, dtype)
        identity = backend.identity
        if (same := self._loaded.get((identity.name, identity.dtype))) is not None:
            backend.close()  # another than was asked for, and here already
            embedder = same
        else:
            embedder = Embedder(backend)
        for key in ((name, dtype), (identity.name, ""), (identity.name, identity.dtype)):
            self._loaded.setdefault(key, embedder)
        return embedder
