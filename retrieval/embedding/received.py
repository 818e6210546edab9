"""Vectors that a server sent: what they can't be is found before they are believed."""

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.identity import ModelIdentity
from retrieval.embedding.unit import to_unit
from retrieval.errors import EmbeddingFailed
from retrieval.ollama.types import Embeddings
from retrieval.types import Vectors

_NORM_TOLERANCE = 1e-2


def received(came: Embeddings, texts: int, identity: ModelIdentity) -> Vectors:
    """The vectors `(texts, d) float32` as they came. Raises EmbeddingFailed where there are more or
    fewer, or not of the model's dimension.
    """
    if len(came.vectors) != texts:
        raise EmbeddingFailed(f"{len(came.vectors)} vectors came for {texts} texts.")
    lengths = {len(vector) for vector in came.vectors}
    if lengths != {identity.dimension}:
        raise EmbeddingFailed(
            f"Vectors of {sorted(lengths)} numbers came; {identity.name} has {identity.dimension}."
        )
    try:
        vectors = np.asarray(came.vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise EmbeddingFailed("A vector holds something that is no number.") from error
    if vectors.ndim != 2:
        raise EmbeddingFailed("A vector holds vectors.")
    return vectors if came.normalised else to_unit(vectors)


def are_unit(vectors: Vectors) -> NDArray[np.bool_]:
    """Which rows are finite and of unit length."""
    norms = np.linalg.norm(vectors, axis=1)
    return np.asarray(np.abs(norms - 1.0) < _NORM_TOLERANCE)
