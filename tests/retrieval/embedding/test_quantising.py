"""Eight bits: near enough, told apart by what their scales are from."""

from pathlib import Path

import pytest

from retrieval.embedding.calibration_texts import read_passages
from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.openvino import OpenVinoBackend
from retrieval.embedding.precision import Precision
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.errors import ModelUnavailable
from tests.contracts.embedding_backend import TEXTS

SAMPLES = Path(__file__).parents[3] / "sample_docs"


def test_vectors_of_eight_bits_are_near_and_named_after_their_texts(tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    model, cache = SentenceModel(device="cpu"), ModelCache(tmp_path)
    texts = read_passages(SAMPLES)[:40]
    one = OpenVinoBackend(model, Precision.INT8, cache, calibration=texts)
    plain = OpenVinoBackend(model, Precision.NATIVE, cache)
    read = plain.tokenize(TEXTS[:5])
    assert (one.encode(read) * plain.encode(read)).sum(axis=1).min() > 0.95
    assert one.identity.dtype.startswith("int8-")
    other = OpenVinoBackend(model, Precision.INT8, cache, calibration=texts[:20])
    assert other.identity.fingerprint != one.identity.fingerprint
    kept = OpenVinoBackend(model, Precision.INT8, cache, dtype=one.identity.dtype)
    assert kept.identity == one.identity


def test_paragraphs_and_runs_of_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\n" + "two " * 200 + "\n\n\nthree")
    (tmp_path / "b.bin").write_bytes(b"\xff")
    found = read_passages(tmp_path)
    assert [text.split()[0] for text in found] == ["one", "two", "one", "three"]
    assert read_passages(None) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\xff"])
def test_what_is_no_text_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ModelUnavailable, match="calibrate"):
        read_passages(tmp_path / "a.txt")
    with pytest.raises(ModelUnavailable, match="calibrate"):
        read_passages(tmp_path / "missing")
