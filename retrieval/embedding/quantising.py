"""A converted model with weights and activations of eight bits, by scales taken from texts.

Nagel et al., "A White Paper on Neural Network Quantization", 2021; activations are smoothed into
the weights first (Xiao et al., "SmoothQuant", ICML 2023). NNCF does both.
"""

import hashlib
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.precision import Precision
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.tokens import TokenizedText
from retrieval.errors import ModelUnavailable

_MOST = 300  # texts: NNCF's own default


class Quantising:
    """Of a converted model, kept beside it under the digest of what its scales are from."""

    def __init__(
        self, runtime: Any, model: SentenceModel, cache: ModelCache, key: str, converted: Path
    ) -> None:
        self._runtime, self._model, self._cache = runtime, model, cache
        self._key, self._converted = key, converted

    def kept(self, dtype: str) -> tuple[Path, str] | None:
        """The folder of the quantised model that an identity names, if it is here."""
        if not dtype.startswith(Precision.INT8):
            return None
        folder = self._cache.find(f"{self._key}-{dtype}")
        return (folder, dtype) if folder else None

    def quantised(self, texts: Sequence[str]) -> tuple[Path, str]:
        """The folder of a model with scales from these texts, and how its identity names it.

        Raises ModelUnavailable.
        """
        try:
            import nncf
        except ImportError as error:
            raise ModelUnavailable(
                "The backend openvino-int8 needs NNCF: pip install 'footnote[int8]'."
            ) from error
        texts = texts[:_MOST]
        known = "\0".join([nncf.__version__, self._runtime.__version__, *texts])
        dtype = f"{Precision.INT8}-{hashlib.sha256(known.encode()).hexdigest()[:12]}"
        folder = self._cache.folder(
            f"{self._key}-{dtype}", lambda made: self._quantise(nncf, made, texts)
        )
        return folder, dtype

    def _quantise(self, nncf: Any, made: Path, texts: Sequence[str]) -> None:
        logging.getLogger("nncf").setLevel(logging.ERROR)
        [source] = self._converted.glob("*.xml")
        network = self._runtime.Core().read_model(str(source))
        names = [each.any_name for each in network.inputs]
        with redirect_stdout(sys.stderr):  # its progress bars
            quantised = nncf.quantize(
                network,
                nncf.Dataset(_within(self._model, texts), _inputs(names)),
                model_type=nncf.ModelType.TRANSFORMER,
                subset_size=len(texts),
            )
        self._runtime.save_model(quantised, str(made / source.name), compress_to_fp16=False)


def _within(model: SentenceModel, texts: Sequence[str]) -> list[TokenizedText]:
    """The texts, each cut at the model's window: they only show what numbers to expect."""
    found = model.tokenizer.tokenize(texts)
    return [_cut(text, model.identity.window) for text in found]


def _cut(text: TokenizedText, window: int) -> TokenizedText:
    if text.count <= window:
        return text
    return TokenizedText(text.text, window, np.append(text.ids[: window - 1], text.ids[-1]))


def _inputs(names: Sequence[str]) -> Callable[[TokenizedText], dict[str, NDArray[np.int64]]]:
    def inputs(text: TokenizedText) -> dict[str, NDArray[np.int64]]:
        ids = np.asarray(text.ids, dtype=np.int64)[None]
        return dict(zip(names, (ids, np.ones_like(ids)), strict=True))

    return inputs
