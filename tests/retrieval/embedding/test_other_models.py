"""Models of other kinds than the default one, made here with random weights: each backend gives
what sentence-transformers does, or says that it can't.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Dense,
    Normalize,
    Pooling,
    Transformer,
)
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3Model,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from retrieval.embedding.choosing import Choosing, Wishes
from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.precision import Backend
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.types import Vectors

TEXTS = ["one", "a longer text with some more words in it", "退货的运费 由卖家承担", "x " * 40, ""]
SPECIAL = ["<pad>", "<unk>", "<s>", "</s>"]


def tokenizer(side: str = "right") -> PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, show_progress=False)
    made.train_from_iterator(TEXTS * 3, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        padding_side=side,
        model_max_length=64,
    )


SMALL: dict[str, Any] = {
    "vocab_size": 400,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}


def positions_by_padding(folder: Path) -> SentenceTransformer:
    """XLM-RoBERTa: positions are counted from the padding's id."""
    config = XLMRobertaConfig(**SMALL, pad_token_id=0, max_position_embeddings=80)
    return _transformer(folder, XLMRobertaModel(config), tokenizer(), "cls")


def relative_positions(folder: Path) -> SentenceTransformer:
    config = MPNetConfig(**SMALL, pad_token_id=0, max_position_embeddings=80)
    return _transformer(folder, MPNetModel(config), tokenizer(), "mean", Dense(32, 16))


def decoder(folder: Path) -> SentenceTransformer:
    """Padded on the left, and the last token counts."""
    config = Qwen3Config(**SMALL, num_key_value_heads=2, head_dim=8, pad_token_id=0)
    return _transformer(folder, Qwen3Model(config), tokenizer("left"), "lasttoken")


def _transformer(
    folder: Path,
    model: torch.nn.Module,
    reads: PreTrainedTokenizerFast,
    pooling: str,
    *more: torch.nn.Module,
) -> SentenceTransformer:
    model.save_pretrained(folder / "base")  # type: ignore[operator]
    reads.save_pretrained(folder / "base")
    module = Transformer(str(folder / "base"), max_seq_length=64)
    return SentenceTransformer(modules=[module, Pooling(32, pooling), *more, Normalize()])


@pytest.mark.parametrize("make", [positions_by_padding, relative_positions, decoder])
@pytest.mark.parametrize("backend", [Backend.TORCH, Backend.OPENVINO])
def test_vectors_are_those_of_sentence_transformers(
    make: Callable[[Path], SentenceTransformer], backend: Backend, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    made = make(tmp_path)
    made.save(str(tmp_path / "model"))
    texts = TEXTS[:4]
    expected: Vectors = made.encode(texts, normalize_embeddings=True)
    model = SentenceModel(str(tmp_path / "model"), device="cpu")
    running = Choosing(model, ModelCache(tmp_path / "cache"), Wishes(backend)).open()
    found = running.encode(running.tokenize(texts))
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_what_a_model_is_is_learned_once_for_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, cache = tmp_path / "model", ModelCache(tmp_path / "cache")
    positions_by_padding(tmp_path).save(str(folder))
    first = SentenceModel(str(folder), "cpu", cache=cache)
    loaded: list[str] = []
    load = SentenceModel._load

    def counted(self: SentenceModel, model: str) -> SentenceTransformer:
        loaded.append(model)
        return load(self, model)

    monkeypatch.setattr(SentenceModel, "_load", counted)
    again = SentenceModel(str(folder), "cpu", cache=cache)
    assert loaded == []
    assert (again.identity, again.padding) == (first.identity, first.padding)
    assert again.tokenizer.count(TEXTS) == first.tokenizer.count(TEXTS)
    again.load()
    assert loaded == [str(folder)]
    positions_by_padding(tmp_path).save(str(folder))  # other weights
    changed = SentenceModel(str(folder), "cpu", cache=cache)
    assert len(loaded) == 2
    assert changed.identity != first.identity
