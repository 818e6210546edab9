"""A sentence-transformers model converted to OpenVINO, and what it is kept as.

Converted once from the loaded model, with pooling and normalisation inside it, for any number of
texts of any length. Where it is kept, neither torch nor sentence-transformers is loaded again.
"""

import copy
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from retrieval.embedding.batching import batches_at_once
from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.precision import Precision
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.tokens import TokenizedText
from retrieval.embedding.unit import to_unit
from retrieval.errors import ModelUnavailable
from retrieval.processor import available_cores
from retrieval.types import Vectors

BATCH_TOKENS = 1_024
# Kernels are kept by the shape of a batch. By default they came to 150 MB after 1,500 batches and
# grew on; of 64 to 64 MB, at the same speed.
_KERNELS = 64
MODEL_FILE = "model.xml"

_first = threading.Lock()


class OpenVinoBackend:
    """`(n, d) float32` unit vectors, computed in streams that each have a share of the cores."""

    def __init__(
        self,
        model: SentenceModel,
        precision: Precision,
        cache: ModelCache,
        *,
        calibration: Sequence[str] = (),
        dtype: str = "",
        batch_tokens: int | None = None,
    ) -> None:
        """Convert the model, or find it converted. `calibration`: texts like those to be embedded,
        which int8 takes its scales from, unless those that `dtype` names are kept. Raises
        ModelUnavailable.
        """
        self._model = model
        runtime = _runtime()
        key = f"openvino-{model.key}"
        folder = cache.folder(key, lambda folder: _convert(runtime, model, folder / MODEL_FILE))
        if precision is Precision.INT8:
            from retrieval.embedding.quantising import Quantising  # needs NNCF to make one

            quantising = Quantising(runtime, model, cache, key, folder)
            folder, dtype = quantising.kept(dtype) or quantising.quantised(calibration)
        else:
            dtype = precision or model.identity.dtype
        self.identity = replace(model.identity, dtype=dtype)
        self.parallel = batches_at_once()
        self.batch_tokens = batch_tokens or BATCH_TOKENS
        core = runtime.Core()
        hint = "bf16" if precision is Precision.BFLOAT16 else "f32"
        if hint == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise ModelUnavailable("This processor has no bfloat16. Choose another backend.")
        try:
            compiled = core.compile_model(
                str(folder / MODEL_FILE),
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": hint,
                    "NUM_STREAMS": str(self.parallel),
                    "INFERENCE_NUM_THREADS": available_cores(),
                    "CPU_RUNTIME_CACHE_CAPACITY": _KERNELS,
                },
            )
        except RuntimeError as error:
            raise ModelUnavailable(f"OpenVINO can't run {model.identity}: {error}") from error
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.parallel):
            self._requests.put(compiled.create_infer_request())
        # OpenVINO's bindings set themselves up in the first request of a process: of two threads
        # that come there at once each waits for the other for ever, and one has Python's own lock.
        with _first:
            self.encode(self.tokenize([""]))

    @property
    def tokenizer(self) -> str:
        return self._model.tokenizer.to_json()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._model.tokenizer.count(texts)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        return self._model.tokenizer.tokenize(texts)

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:  # noqa: ARG002
        ids, mask = self._model.padding.batch(texts)
        request = self._requests.get()
        try:
            request.infer([ids, mask], share_inputs=True)
            vectors = np.array(request.get_output_tensor(0).data, dtype=np.float32)
        finally:
            self._requests.put(request)
        return to_unit(vectors)

    def close(self) -> None:
        """The model goes with this object."""


def _runtime() -> Any:
    """OpenVINO, which tells nobody that it is used: its telemetry asks for a module, and finds
    none.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino  # not wanted by a process that embeds otherwise

    return openvino


def _convert(runtime: Any, model: SentenceModel, path: Path) -> None:
    """Write the model as OpenVINO reads it. Raises ModelUnavailable where it can't."""
    import torch

    from retrieval.embedding.passes import feature_names, features
    from retrieval.embedding.tracing import quiet

    loaded = copy.deepcopy(model.load()).to("cpu").float()
    names = feature_names(loaded)

    class ByIds(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = loaded

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            given = features(names, input_ids, attention_mask)
            found: torch.Tensor = self.model(given)["sentence_embedding"]
            return found

    example = torch.ones(2, 5, dtype=torch.int64)
    try:
        with quiet(), torch.inference_mode(False), torch.no_grad():
            made = runtime.convert_model(
                ByIds(), example_input={"input_ids": example, "attention_mask": example}
            )
    except Exception as error:  # of many kinds, by what a model is made of
        reason = str(error).strip().partition("\n")[0]
        raise ModelUnavailable(f"OpenVINO can't convert {model.identity}: {reason}") from error
    try:
        runtime.save_model(made, str(path), compress_to_fp16=False)
    except RuntimeError as error:
        raise OSError(str(error)) from error
    model.release()
