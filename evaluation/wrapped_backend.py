"""A backend around another one, for what watches, changes or spoils what that one does."""

from collections.abc import Sequence

from retrieval.embedding.tokens import TokenizedText
from retrieval.ports import EmbeddingBackend
from retrieval.types import Vectors


class WrappedBackend:
    """Does as the inner one does. What is to be otherwise, a subclass says."""

    def __init__(self, inner: EmbeddingBackend) -> None:
        self._inner = inner
        self.identity = inner.identity
        self.batch_tokens = inner.batch_tokens
        self.parallel = inner.parallel

    @property
    def tokenizer(self) -> str:
        return self._inner.tokenizer

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._inner.count_tokens(texts)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        return self._inner.tokenize(texts)

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
        return self._inner.encode(texts, urgent=urgent)

    def close(self) -> None:
        self._inner.close()
