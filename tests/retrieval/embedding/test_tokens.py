import numpy as np
import pytest

from retrieval.embedding.tokens import Padding, TokenizedText


@pytest.mark.parametrize(
    ("count", "window", "length"),
    [(1, 256, 16), (16, 256, 16), (17, 256, 32), (250, 256, 256), (77, 77, 77), (90, 77, 90)],
)
def test_texts_are_filled_up_to_lengths_that_others_have_too(
    count: int, window: int, length: int
) -> None:
    texts = [TokenizedText("", n, np.full(n, 7, dtype=np.int32)) for n in (1, count)]
    ids, mask = Padding(3, window).batch(texts)
    assert ids.shape == mask.shape == (2, length)
    assert (ids.sum(axis=1) == [7 + 3 * (length - 1), 7 * count + 3 * (length - count)]).all()
    assert (mask.sum(axis=1) == [1, count]).all()
