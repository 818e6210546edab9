"""The default model converted: the same vectors, kept for the next start."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.openvino import MODEL_FILE, OpenVinoBackend
from retrieval.embedding.precision import Precision
from retrieval.embedding.sentence_model import DEFAULT_IDENTITY, SentenceModel
from retrieval.embedding.torch import TorchBackend
from retrieval.errors import ModelUnavailable
from tests.contracts.embedding_backend import TEXTS, EmbeddingBackendContract


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> ModelCache:
    return ModelCache(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def model() -> SentenceModel:
    return SentenceModel(device="cpu")


def has_bfloat16() -> bool:
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "bf16" in flags.read_text()


class TestOpenVino(EmbeddingBackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, model: SentenceModel, cache: ModelCache) -> OpenVinoBackend:
        return OpenVinoBackend(model, Precision.NATIVE, cache)

    def test_it_has_the_identity_of_the_model(self, backend: OpenVinoBackend) -> None:
        assert backend.identity == DEFAULT_IDENTITY


@pytest.mark.skipif(not has_bfloat16(), reason="needs a processor with bfloat16")
class TestBfloat16(EmbeddingBackendContract):
    tolerance = 5e-3

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, model: SentenceModel, cache: ModelCache) -> OpenVinoBackend:
        return OpenVinoBackend(model, Precision.BFLOAT16, cache)

    def test_it_has_an_identity_of_its_own(self, backend: OpenVinoBackend) -> None:
        assert backend.identity.dtype == "bfloat16"
        assert backend.identity.fingerprint != DEFAULT_IDENTITY.fingerprint


def test_vectors_are_those_of_torch(model: SentenceModel, cache: ModelCache) -> None:
    here, there = TorchBackend(model), OpenVinoBackend(model, Precision.NATIVE, cache)
    texts = here.tokenize([f"{text} {'more words ' * n}" for text in TEXTS[:4] for n in range(20)])
    assert (here.encode(texts) * there.encode(texts)).sum(axis=1).min() > 0.99999


def test_a_start_after_the_first_needs_no_torch(model: SentenceModel, cache: ModelCache) -> None:
    OpenVinoBackend(model, Precision.NATIVE, cache)
    script = f"""
import sys
from pathlib import Path
from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.openvino import OpenVinoBackend
from retrieval.embedding.precision import Precision
from retrieval.embedding.sentence_model import SentenceModel
backend = OpenVinoBackend(SentenceModel(), Precision.NATIVE, ModelCache(Path({str(cache._root)!r})))
assert backend.encode(backend.tokenize(["text"])).shape == (1, 384)
assert sys.modules.get("openvino_telemetry") is None
print(sorted({{"torch", "sentence_transformers", "openvino_telemetry.main"}} & sys.modules.keys()))
"""
    ran = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_threads_that_begin_at_once_do_not_wait_for_ever(
    model: SentenceModel, cache: ModelCache
) -> None:
    OpenVinoBackend(model, Precision.NATIVE, cache)
    script = f"""
import sys, threading
from pathlib import Path
from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.openvino import OpenVinoBackend
from retrieval.embedding.precision import Precision
from retrieval.embedding.sentence_model import SentenceModel
backend = OpenVinoBackend(SentenceModel(), Precision.NATIVE, ModelCache(Path({str(cache._root)!r})))
texts, both = backend.tokenize(["text"]), threading.Barrier(2)
sys.setswitchinterval(1e-6)
def embed():
    both.wait()
    backend.encode(texts)
threads = [threading.Thread(target=embed) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    for _ in range(4):  # each waits for ever in two cases of three where the first one may be two
        subprocess.run([sys.executable, "-c", script], check=True, timeout=120)  # noqa: S603


def test_what_was_damaged_is_converted_again(
    model: SentenceModel, cache: ModelCache, tmp_path: Path
) -> None:
    OpenVinoBackend(model, Precision.NATIVE, cache)
    shutil.copytree(cache._root, tmp_path / "models")
    [damaged] = (tmp_path / "models").glob(f"openvino-*/{MODEL_FILE}")
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    backend = OpenVinoBackend(model, Precision.NATIVE, ModelCache(tmp_path / "models"))
    assert len(damaged.read_bytes()) > len(whole) // 2
    assert backend.encode(backend.tokenize(["text"])).shape == (1, 384)


def test_a_cache_that_cannot_be_written_is_told(model: SentenceModel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelUnavailable, match="FOOTNOTE_CACHE"):
        OpenVinoBackend(model, Precision.NATIVE, ModelCache(tmp_path / "file"))
