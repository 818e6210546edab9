"""Invariant 5: a chunk never exceeds the embedder's window, by that embedder's own count."""

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.chunking import CutDocument, Tokenizes, cut
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.torch import TorchBackend
from retrieval.types import Chunking, Document
from tests.ingest.cutting import CODE_POINTS, DOCUMENTS, HASHING, document, spans_of

COUNTERS = st.sampled_from([HASHING, CODE_POINTS])


def check_window(found: CutDocument, window: int, tokenizer: Tokenizes) -> None:
    counted = tokenizer.count_tokens(list(found.texts)) if found.texts else []
    assert [text.count for text in found.tokenized] == counted
    assert [chunk.tokens for chunk in found.chunks] == counted
    assert max(counted, default=0) <= window


@settings(max_examples=80)
@given(DOCUMENTS, st.integers(32, 80), st.integers(0, 20), COUNTERS)
@example(document(("\n" * 40).join(["abc."] * 30), title=""), 32, 9, CODE_POINTS)
@example(document("e" + "\u0301" * 100), 32, 0, HASHING)
def test_the_laws_of_chunks(
    source: Document, window: int, overlap: int, tokenizer: Tokenizes
) -> None:
    found = cut(source, Chunking(overlap=overlap), window, tokenizer)
    chunks = found.chunks
    check_window(found, window, tokenizer)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    for chunk, text in zip(chunks, found.texts, strict=True):
        span = source.text[chunk.start : chunk.end]
        assert span and span == span.strip() and text.endswith(span)
    for one, next_one in pairwise(chunks):
        assert one.end < next_one.end
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert cut(source, Chunking(overlap=overlap), window, tokenizer) == found


@pytest.mark.parametrize("chunking", [Chunking(), Chunking(tokens=48, overlap=8)])
@settings(max_examples=25)
@given(source=DOCUMENTS)
def test_no_chunk_exceeds_the_window_of_the_default_model(
    chunking: Chunking, source: Document
) -> None:
    tokenizer = default_model()
    check_window(cut(source, chunking, 256, tokenizer), chunking.tokens or 256, tokenizer)


@cache
def default_model() -> TorchBackend:
    """Its tokenizer only: weights are loaded to encode."""
    return TorchBackend(SentenceModel())


HARD = {
    "one word": "x" * 300_000,
    "one Chinese sentence": "字" * 30_000,
    "base64": "TWFu" * 50_000,
    "accents without end": "e" + "\u0301" * 20_000,
    "joined emoji without end": "👩\u200d" * 5_000,
    "punctuation": "!?" * 10_000,
    "control characters": "\0\x01\x02" * 5_000,
    "white space between": ("word" + " " * 5_000) * 5,
    "a table": "| a | b |\n" * 2_000,
    "nothing but line ends": "\n" * 5_000,
}


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
@pytest.mark.parametrize("model", ["hashing", "default"])
def test_hard_texts_fit_and_lose_nothing(text: str, model: str) -> None:
    tokenizer: Tokenizes = HASHING if model == "hashing" else default_model()
    source = document(text)
    found = cut(source, Chunking(overlap=0), 256, tokenizer)
    check_window(found, 256, tokenizer)
    assert "".join("".join(spans_of(found, source)).split()) == "".join(text.split())
    assert max((len(text) for text in found.texts), default=0) <= 256 * 16 + len("Title\n")
