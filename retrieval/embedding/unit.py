"""Vectors of unit length, as every cosine here wants them."""

import numpy as np

from retrieval.types import Vectors


def to_unit(vectors: Vectors) -> Vectors:
    """`(n, d) float32`, each row of length 1; one of zeros stays as it is."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)
