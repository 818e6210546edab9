"""An embedder without weights: feature hashing of analysed terms.

For tests and offline trials, where what matters is that equal words give similar vectors, at
once and the same everywhere. It knows nothing of meaning.

Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from retrieval.analysis import analyse
from retrieval.embedding.identity import ModelIdentity, Prefixes
from retrieval.embedding.tokens import TokenizedText
from retrieval.types import Vectors

_TOKEN = re.compile(r"[^\W_]{1,16}|[^\w\s]|_", re.UNICODE)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class HashingBackend:
    """Vectors from signed hashes of terms, `(n, dimension) float32`, unit norm."""

    def __init__(self, dimension: int = 256, window: int = 256) -> None:
        self.identity = ModelIdentity(
            name="hashing",
            weights="none",
            dimension=dimension,
            window=window,
            pooling="sum",
            normalised=True,
            prefixes=Prefixes(),
            dtype="float32",
        )
        self.tokenizer = ""
        self.batch_tokens = 65_536
        self.parallel = 1

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words of at most 16 letters, CJK characters and marks; two more a text."""
        return [
            2 + sum(max(1, len(_CJK.findall(word))) for word in _TOKEN.findall(text))
            for text in texts
        ]

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        return list(map(TokenizedText, texts, self.count_tokens(texts)))

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:  # noqa: ARG002
        return self.vectors([text.text for text in texts])

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Of texts as they are."""
        vectors = np.zeros((len(texts), self.identity.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for term in analyse(text) or [text]:
                digest = blake2b(term.encode(), digest_size=8).digest()
                slot = int.from_bytes(digest[:4]) % self.identity.dimension
                row[slot] += 1.0 if digest[4] & 1 else -1.0
            norm = float(np.linalg.norm(row))
            if norm:
                row /= norm
            else:
                row[0] = 1.0
        return vectors

    def close(self) -> None:
        """It holds nothing."""
