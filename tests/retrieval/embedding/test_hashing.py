import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.embedding.hashing import HashingBackend

BACKEND = HashingBackend()


@given(st.lists(st.text(max_size=20), max_size=6))
def test_vectors_are_unit_and_the_same_everywhere(texts: list[str]) -> None:
    vectors = BACKEND.vectors(texts)
    assert vectors.shape == (len(texts), 256)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert np.array_equal(vectors, HashingBackend().vectors(texts))


def test_equal_words_are_near_and_others_are_not() -> None:
    zebra, same, zh, other = BACKEND.vectors(
        ["the zebra runs", "Zebras running", "运费险理赔", "warranty of months"]
    )
    assert zebra @ same > 0.5
    assert abs(zebra @ other) < 0.3
    assert zh @ BACKEND.vectors(["运费险"])[0] > 0.5


def test_a_term_keeps_its_place_and_sign() -> None:
    vector = BACKEND.vectors(["zebra"])[0]
    assert {int(slot): vector[slot] for slot in np.flatnonzero(vector)} == {27: 1.0}


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 2), ("two words", 4), ("退货 ok", 5), ("x" * 33, 5), ("a, b.", 6)]
)
def test_tokens_are_words_and_characters(text: str, tokens: int) -> None:
    assert BACKEND.count_tokens([text]) == [tokens]
