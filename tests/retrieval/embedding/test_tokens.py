import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from retrieval.embedding.tokens import Padding, TextTokenizer, TokenizedText


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


def test_ids_may_have_gaps() -> None:
    made = Tokenizer(models.WordLevel({"[UNK]": 0, "the": 1, "pump": 900}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    [read] = TextTokenizer(made).tokenize(["the pump leaks"])
    assert (read.ids.tolist(), read.unread) == ([1, 900, 0], 1.0)


def test_what_a_vocabulary_does_not_have_is_counted_and_half_of_what_it_has_in_pieces() -> None:
    words = {"[UNK]": 0, "the": 1, "pump": 2, "##s": 3, "##ing": 4}
    pieces = models.WordPiece(words, unk_token="[UNK]")
    bytes_too = models.BPE({"a": 0, "b": 1, "c": 2}, [])
    by_chance = models.Unigram([("<s>", 0.0), ("<unk>", 0.0), ("a", -1.0)], unk_id=1)
    made = [Tokenizer(model) for model in (pieces, bytes_too, by_chance)]
    made[0].pre_tokenizer = pre_tokenizers.Whitespace()
    texts = ["the 泵 pumpings 阀", "abc", "a?a?"]
    read = [TextTokenizer(one).tokenize([text])[0] for one, text in zip(made, texts, strict=True)]
    assert [(one.count, one.unread) for one in read] == [(6, 3), (3, 0), (4, 2)]
