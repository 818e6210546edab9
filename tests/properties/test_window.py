"""Invariant 5: a chunk never exceeds the embedder's window, by that embedder's own count."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.chunking import CountTokens, CutDocument, cut
from retrieval.embedding.torch import TorchBackend
from retrieval.types import Chunking, Document
from tests.ingest.cutting import DOCUMENTS, HASHING, code_points, document, spans_of

COUNTERS = st.sampled_from([HASHING, code_points])


def check_window(found: CutDocument, window: int, count_tokens: CountTokens) -> None:
    counted = count_tokens(list(found.texts)) if found.texts else []
    assert [chunk.tokens for chunk in found.chunks] == counted
    assert max(counted, default=0) <= window


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS, st.integers(32, 80), st.integers(0, 20), COUNTERS)
@example(document(("\n" * 40).join(["abc."] * 30), title=""), 32, 9, code_points)
@example(document("e" + "\u0301" * 100), 32, 0, HASHING)
def test_the_laws_of_chunks(
    source: Document, window: int, overlap: int, count_tokens: CountTokens
) -> None:
    found = cut(source, Chunking(overlap=overlap), window, count_tokens)
    chunks = found.chunks
    check_window(found, window, count_tokens)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    for chunk, text in zip(chunks, found.texts, strict=True):
        span = source.text[chunk.start : chunk.end]
        assert span and span == span.strip() and text.endswith(span)
    for one, next_one in pairwise(chunks):
        assert one.end < next_one.end
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert cut(source, Chunking(overlap=overlap), window, count_tokens) == found


@pytest.mark.parametrize("chunking", [Chunking(), Chunking(tokens=48, overlap=8)])
@settings(max_examples=25, deadline=None)
@given(source=DOCUMENTS)
def test_no_chunk_exceeds_the_window_of_the_default_model(
    chunking: Chunking, source: Document
) -> None:
    count_tokens = DEFAULT_MODEL()
    check_window(cut(source, chunking, 256, count_tokens), chunking.tokens or 256, count_tokens)


def _default_model() -> Callable[[], CountTokens]:
    backends: list[TorchBackend] = []

    def counter() -> CountTokens:
        if not backends:
            backends.append(TorchBackend())  # its tokenizer only: weights are loaded to encode
        return backends[0].count_tokens

    return counter


DEFAULT_MODEL = _default_model()

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
    count_tokens = HASHING if model == "hashing" else DEFAULT_MODEL()
    source = document(text)
    found = cut(source, Chunking(overlap=0), 256, count_tokens)
    check_window(found, 256, count_tokens)
    assert "".join("".join(spans_of(found, source)).split()) == "".join(text.split())
    assert max((len(text) for text in found.texts), default=0) <= 256 * 16 + len("Title\n")
