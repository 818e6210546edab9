"""With a model of random weights, made here: what it says means nothing, how it is asked does."""

import json
from pathlib import Path

import pytest

from retrieval.errors import ModelUnavailable
from retrieval.rerankers.cross_encoder import CrossEncoderReranker

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a harbour was dredged in the year of glaciers".split()


def saved(folder: Path, labels: int = 1) -> Path:
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    named = {"tokenizer_class": "BertTokenizer", "model_max_length": 32}
    (folder / "tokenizer_config.json").write_text(json.dumps(named))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        initializer_range=1.0,  # so that the scores differ
    )
    config.num_labels = labels
    BertForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> CrossEncoderReranker:
    return CrossEncoderReranker(str(saved(tmp_path_factory.mktemp("models") / "tiny")), "cpu")


def test_a_score_a_text_whatever_the_batch(reranker: CrossEncoderReranker) -> None:
    texts = ["the harbour was dredged", "a year of glaciers", "the year"]
    scores = reranker.scores("the harbour", texts)
    assert len(set(scores)) == 3
    for text, score in zip(texts, scores, strict=True):
        assert reranker.scores("the harbour", [text]) == pytest.approx([score], abs=1e-5)


def test_what_does_not_fit_is_read_in_parts(reranker: CrossEncoderReranker) -> None:
    parts = ["the harbour was dredged in the year of glaciers " * 2, "a year of a harbour " * 4]
    whole = "".join(parts).strip()
    halves = reranker._parts("the harbour", whole)
    assert len(halves) > 1
    assert "".join(halves) == whole
    [score] = reranker.scores("the harbour", [whole])
    assert score == pytest.approx(max(reranker.scores("the harbour", halves)), abs=1e-5)


def test_what_is_no_reranker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="has 3 outputs"):
        CrossEncoderReranker(str(saved(tmp_path / "three", labels=3)), "cpu")
    with pytest.raises(ModelUnavailable, match="can't be loaded"):
        CrossEncoderReranker(str(tmp_path / "nothing"))
