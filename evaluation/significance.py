"""Whether one system is worse than another, or chance made it look so."""

from collections.abc import Sequence

import numpy as np

_SAMPLES = 10_000


def chance_of_loss(differences: Sequence[float], seed: int = 0) -> float:
    """The one-sided p-value of a mean difference this low, if signs were a matter of chance.

    Fisher's paired randomisation test, sampled; see Smucker, Allan, Carterette, "A Comparison of
    Statistical Significance Tests for Information Retrieval Evaluation", CIKM 2007.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not np.any(values):
        return 1.0
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(_SAMPLES, len(values)))
    return float((np.sum(signs @ values <= values.sum() + 1e-12) + 1) / (_SAMPLES + 1))
