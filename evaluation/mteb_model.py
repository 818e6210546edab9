"""Footnote's embedder as an encoder of MTEB, for tasks of text. Needs the extra `mteb`.

Muennighoff et al., "MTEB: Massive Text Embedding Benchmark", EACL 2023.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from mteb.models import ModelMeta
from mteb.models.model_meta import ScoringFunction
from mteb.similarity_functions import cos_sim, pairwise_cos_sim
from mteb.types import Array, PromptType

from retrieval.embedding.embedder import Embedder
from retrieval.embedding.identity import ModelIdentity
from retrieval.embedding.lanes import Lane
from retrieval.embedding.tokens import TokenizedText
from retrieval.types import Vectors

_TOGETHER = 512  # texts that are tokenised while those before them are embedded


class MtebModel:
    """An `EncoderProtocol` of mteb 2: `encode` gives unit vectors `(n, d) float32`.

    Queries get the model's prefix for questions, all else that for documents. A text that has more
    tokens than the window, its prefix included, is cut where `Embedder.fit` does and counted: in
    `cut_questions` or `cut_documents`. So a long query isn't the mean of its pieces, as in
    Footnote's own search, but what other models of MTEB see of it. `watch` is told how many texts
    are embedded.
    """

    def __init__(self, embedder: Embedder, watch: Callable[[int], None] = lambda _: None) -> None:
        self._embedder = embedder
        self._watch = watch
        self._done = 0
        self.cut_questions = self.cut_documents = 0
        self.mteb_model_meta = meta_of(embedder.identity)

    def encode(
        self,
        inputs: Iterable[Mapping[str, Any]],
        *,
        prompt_type: PromptType | None = None,
        **_more: Any,
    ) -> Vectors:
        """The vectors of all texts, in their order; batches are the embedder's own.

        Raises EmbeddingFailed.
        """
        texts = [text for batch in inputs for text in batch["text"]]
        prefixes = self._embedder.identity.prefixes
        if prompt_type != PromptType.query:
            vectors, cut = self._embed([prefixes.document + text for text in texts])
            self.cut_documents += cut
        else:
            vectors, cut = self._embed([prefixes.query + text for text in texts])
            self.cut_questions += cut
        return vectors

    def similarity(self, embeddings1: Array, embeddings2: Array) -> Array:
        """Cosines `(n, m)`."""
        return cos_sim(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Array, embeddings2: Array) -> Array:
        """Cosines `(n,)`, of each with the one beside it."""
        return pairwise_cos_sim(embeddings1, embeddings2)

    def _embed(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """The vectors of texts taken as they are, and how many were cut."""
        found = [np.zeros((0, self._embedder.identity.dimension), dtype=np.float32)]
        cut = 0
        with ExitStack() as unless_over:
            requests = []
            for at in range(0, len(texts), _TOGETHER):
                part = texts[at : at + _TOGETHER]
                fitted = self._fitted(part)
                cut += sum(one.text != text for one, text in zip(fitted, part, strict=True))
                requests.append(self._embedder.submit(fitted, Lane.DOCUMENT))
                unless_over.callback(requests[-1].done.cancel)  # where another part failed
            for request in requests:
                found.append(request.done.result())
                self._done += len(request.texts)
                self._watch(self._done)
        return np.concatenate(found), cut

    def _fitted(self, texts: Sequence[str]) -> list[TokenizedText]:
        window = self._embedder.identity.window
        return [
            one if one.count <= window else self._embedder.fit(one.text, window)
            for one in self._embedder.tokenize_raw(texts)
        ]


def meta_of(identity: ModelIdentity) -> ModelMeta:
    """What MTEB writes beside results: the fingerprint is the revision, as it decides the vectors.

    What an identity doesn't tell is None: unknown.
    """
    unknown = (
        *("loader", "release_date", "languages", "n_parameters", "memory_usage_mb", "license"),
        *("open_weights", "public_training_code", "public_training_data", "training_datasets"),
    )
    prefixes = identity.prefixes
    return ModelMeta(
        **dict.fromkeys(unknown),
        name=f"footnote/{_name(identity.name)}",
        revision=identity.fingerprint,
        adapted_from=identity.name,
        embed_dim=identity.dimension,
        max_tokens=identity.window,
        similarity_fn_name=ScoringFunction.COSINE,
        use_instructions=bool(prefixes.query or prefixes.document),
        framework=[],
    )


def _name(model: str) -> str:
    """As a folder may be called: MTEB makes one of it, where `/` parts it from who publishes it."""
    return re.sub(r"[^\w.-]+", "-", model).strip("-.") or "model"
