"""A short trial of a backend: its speed by the size of batches, and how near its vectors come.

It decides between backends, and how many tokens a batch has. Neither can be told beforehand:
processors differ in the instructions they have, and models in what they win by them.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from retrieval.embedding.batching import batches_by_length
from retrieval.embedding.tokens import TokenizedText
from retrieval.ports import EmbeddingBackend
from retrieval.types import Vectors

USUAL_BATCH = 1_024
BATCHES = (512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072)
"""Sizes that are tried, in padded tokens, until one is slower than the best before it."""

# Of what is tried: a question waits behind a batch of documents, and larger ones wait for longer.
_SLOWEST = 0.15  # seconds a batch
_GOOD = 0.97  # of the best rate: the smallest batch that reaches it is taken
_WORSE = 0.93  # of the best rate: larger ones aren't tried any more
_ROUNDS = 2

# Of several scripts and kinds, so that every part of a vocabulary is met.
_SENTENCES = (
    "The pump must be switched off before the cover is removed.",
    "Revenue came to 4.2 million euros in 2023, 12.5 % above the year before.",
    "Mice that lack the receptor show no response to interferon gamma within 48 hours.",
    "def area(radius): return math.pi * radius ** 2  # square metres",
    "When do I have to return a library book, and what does it cost if I am late?",
    "Der Mieter trägt die Kosten kleiner Reparaturen bis zu 100 Euro im Einzelfall.",
    "退货的运费由卖家承担，买家须在七天之内寄回商品。",
    "She heard the rain on the roof long before the storm reached the valley.",
    "SELECT name, COUNT(*) FROM orders GROUP BY name HAVING COUNT(*) > 3;",
    "La température de l'eau ne doit pas dépasser soixante degrés.",
    "Minutes of the meeting of 18 March: the budget was approved by nine votes to two.",
    "https://example.com/docs?page=2 answers 404; see ticket #8812 for the reason.",
)
_LENGTHS = (12, 30, 60, 90, 120, 160, 200, 240)  # tokens, about; at most the window


@dataclass(frozen=True, slots=True)
class Trial:
    """Tokens a second by the size of a batch, and the lowest cosine to the reference's vectors."""

    rates: Mapping[int, float]
    cosine: float

    @property
    def best(self) -> float:
        """Tokens a second."""
        return max(self.rates.values())

    @property
    def batch_tokens(self) -> int:
        """The smallest batch that is nearly as fast as any."""
        return min(size for size, rate in self.rates.items() if rate >= _GOOD * self.best)


def trial_texts(backend: EmbeddingBackend) -> list[TokenizedText]:
    """Texts of many lengths within the window, each another."""
    window = backend.identity.window
    made = []
    for at in range(0, len(_SENTENCES), 2):
        for length in _LENGTHS:
            rotated = " ".join(_SENTENCES[at:] + _SENTENCES[:at])
            [text] = backend.tokenize([rotated[: 3 * min(length, window)]])
            if text.count > window:  # of many tokens a character
                [text] = backend.tokenize([rotated[: max(1, window // 3)]])
            made.append(text)
    return [text for text in made if text.count <= window]


def reference(backend: EmbeddingBackend) -> Vectors:
    """What `try_out` compares with: the vectors of the texts, as this backend has them."""
    texts = trial_texts(backend)
    return np.concatenate(
        [backend.encode([texts[at] for at in b]) for b in batches_by_length(texts, 1_024)]
    )


def try_out(
    backend: EmbeddingBackend, expected: Vectors | None, sizes: Sequence[int] = BATCHES
) -> Trial:
    """Measure a backend. Without `expected` vectors its own are taken for right."""
    cosine = 1.0
    if expected is not None:
        cosine = float((reference(backend) * expected).sum(axis=1).min())
    texts = trial_texts(backend)
    rates: dict[int, float] = {}
    for size in sizes:
        try:
            rate = _rate(backend, texts, size)
        except RuntimeError:  # the memory of a GPU is full
            if not rates:
                raise
            break
        if rates and size * backend.parallel / rate > _SLOWEST:
            break
        rates[size] = rate
        if rate < _WORSE * max(rates.values()):
            break
    return Trial(rates, cosine)


def _rate(backend: EmbeddingBackend, texts: Sequence[TokenizedText], size: int) -> float:
    """Tokens a second at saturation, the best of some rounds."""
    repeats = max(1, -(-2 * size * backend.parallel // sum(t.count for t in texts)))
    many = [text for _ in range(repeats) for text in texts]
    batches = [[many[at] for at in batch] for batch in batches_by_length(many, size)]
    tokens = sum(text.count for text in many)
    best = 0.0
    with ThreadPoolExecutor(backend.parallel) as pool:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            list(pool.map(backend.encode, batches))
            best = max(best, tokens / (time.perf_counter() - began))
    return best
