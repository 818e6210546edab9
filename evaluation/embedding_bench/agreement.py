"""How near a target's vectors are to those of the same model in full precision."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.embedding_bench.figures import Agreement
from evaluation.embedding_bench.targets import Kind, Target
from evaluation.errors import ConfigurationError
from retrieval.types import Vectors


def reference_of(targets: Sequence[Target], given: str) -> str:
    """The name of the target that the others are held against: the one given, else the first by
    sentence-transformers, else the first by `torch`; "" where there is none.

    Raises ConfigurationError where the given one doesn't take part.
    """
    names = [target.name for target in targets]
    if given:
        if given not in names:
            raise ConfigurationError(
                f"The reference {given!r} isn't one of the targets: {', '.join(names)}."
            )
        return given
    whole = [one.name for one in targets if one.kind is Kind.LIBRARY]
    whole += [one.name for one in targets if one.backend == "torch"]
    return whole[0] if whole else ""


def is_comparable(target: Target, reference: Target) -> bool:
    """Whether both are of one model, as far as one can tell: a server has its own names."""
    return not target.is_local or not reference.is_local or target.model == reference.model


def agreement(found: Mapping[str, Vectors], reference: Mapping[str, Vectors]) -> Agreement | None:
    """Over all text sets; None where the vectors are of another size, and so of another model."""
    cosines = []
    for name, vectors in found.items():
        if name not in reference or vectors.shape != reference[name].shape:
            return None
        norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(reference[name], axis=1)
        products = np.einsum("nd,nd->n", vectors, reference[name], dtype=np.float64)
        cosines.append(products / np.maximum(norms, 1e-12))
    if not cosines:
        return None
    every = np.clip(np.concatenate(cosines), -1.0, 1.0)  # rounding goes beyond
    return Agreement(float(every.mean()), float(every.min()))
