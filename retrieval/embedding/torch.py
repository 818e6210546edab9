"""A sentence-transformers model run by torch, on a processor or a GPU."""

import copy
import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from retrieval.allocator import give_back
from retrieval.embedding.batching import batches_at_once
from retrieval.embedding.precision import Precision
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.tokens import TokenizedText
from retrieval.embedding.unit import to_unit
from retrieval.processor import available_cores
from retrieval.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_log = structlog.get_logger()

# Padded tokens a batch. On one core 1,024 take about 0.3 s, the longest that a question waits
# behind documents; a GPU needs more to be kept busy.
CPU_BATCH_TOKENS = 1_024
GPU_BATCH_TOKENS = 32_768

# Batches after which memory that is free is given back. They differ in shape, and glibc keeps what
# no next one fits: 270 MB after 3,500 texts.
_TRIMMED = 100

# On a GPU: one is prepared while the other computes, where several threads may launch work.
_IN_FLIGHT = {"cuda": 2, "mps": 1}

# How far a number may be from what `SentenceTransformer.encode` gives. Other kernels round
# otherwise, and bfloat16 has three digits.
_SAME = 1e-4
_SAME_OF_FEWER_BITS = 1e-2
_PROBES = ("One short text.", "Another that is longer, with a number: 12.5 %.", "退货政策")

Encode = Callable[[Sequence[TokenizedText]], Any]
"""A forward pass: the sentence embeddings of texts, a tensor on the model's device."""


class TorchBackend:
    """`(n, d) float32` unit vectors, the model computing in its own precision or in a lower one.

    On a CPU a few batches run side by side, each on its share of the cores, in a replica of the
    model that has the same weights.
    """

    def __init__(
        self,
        model: SentenceModel,
        precision: Precision = Precision.NATIVE,
        batch_tokens: int | None = None,
    ) -> None:
        self._model, self._precision = model, precision
        dtype = precision or model.identity.dtype
        self.identity = replace(model.identity, dtype=str(dtype))
        kind = model.device.partition(":")[0]
        on_gpu = kind != "cpu"
        self.parallel = _IN_FLIGHT.get(kind, 1) if on_gpu else batches_at_once()
        self.batch_tokens = batch_tokens or (GPU_BATCH_TOKENS if on_gpu else CPU_BATCH_TOKENS)
        self._replicas: SimpleQueue[Encode] = SimpleQueue()
        self._replicated = False
        self._loading = threading.Lock()
        self._batches = itertools.count(1)

    @property
    def tokenizer(self) -> str:
        return self._model.tokenizer.to_json()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._model.tokenizer.count(texts)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        return self._model.tokenizer.tokenize(texts)

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:  # noqa: ARG002
        self._replicate()
        replica = self._replicas.get()
        try:
            vectors = np.asarray(replica(texts).float().cpu().numpy(), dtype=np.float32)
        finally:
            self._replicas.put(replica)
        if next(self._batches) % _TRIMMED == 0:
            give_back()
        return to_unit(vectors)

    def close(self) -> None:
        """The model goes with this object."""

    def _replicate(self) -> None:
        """Have the model, and as many replicas as may run at once."""
        with self._loading:
            if self._replicated:
                return
            loaded = self._model.load()
            if self._precision:
                import torch  # loaded with the model

                loaded = copy.deepcopy(loaded).to(getattr(torch, self._precision))
            for replica in _replicas(loaded, self.parallel):
                self._replicas.put(self._reader(replica))
            self._replicated = True

    def _reader(self, model: "SentenceTransformer") -> Encode:
        """The forward pass on ids, where that gives what the model makes of texts itself."""
        from retrieval.embedding.passes import by_ids, by_texts

        plain, fast = by_texts(model), by_ids(model, self._model.padding)
        probes = self.tokenize(_PROBES)
        try:
            found = fast(probes).float()
            off = float((found - plain(probes).float()).abs().max())
        except Exception as error:  # noqa: BLE001 - whatever a model that wants more than ids raises
            _log.warning("texts_are_tokenised_twice", reason=str(error))
            return plain
        if off < (_SAME_OF_FEWER_BITS if self._precision else _SAME):
            return fast
        _log.warning("texts_are_tokenised_twice", reason=f"by ids a number is off by {off:g}")
        return plain


def _replicas(model: "SentenceTransformer", count: int) -> "list[SentenceTransformer]":
    """On a CPU copies that share the model's weights; each gets its share of the cores."""
    if model.device.type != "cpu":
        return [model] * count
    import torch

    from retrieval.embedding.tracing import traced

    torch.set_num_threads(max(1, available_cores() // count))
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return [traced(copy.deepcopy(model, dict(shared))) for _ in range(count)]
