"""The default model as people get it: from its package, with the weights that were published."""

import pytest

from retrieval.embedding import sentence_model
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.sentence_model import DEFAULT_IDENTITY, SentenceModel, _identity
from retrieval.embedding.torch import TorchBackend
from retrieval.errors import ModelUnavailable, TextTooLong

TEXTS = [
    "How long is the warranty?",
    "运费险由谁承保？",
    "A naïve café 🙂 " + "word " * 60,
]


@pytest.fixture(scope="module")
def model() -> SentenceModel:
    return SentenceModel()


def test_what_is_loaded_is_what_the_identity_says(model: SentenceModel) -> None:
    assert _identity("all-MiniLM-L6-v2", model.load()) == DEFAULT_IDENTITY == model.identity


def test_tokens_are_those_the_model_reads(model: SentenceModel) -> None:
    read = [model.load().tokenizer(text)["input_ids"] for text in TEXTS]
    assert [text.ids.tolist() for text in model.tokenizer.tokenize(TEXTS)] == read
    assert model.tokenizer.count(TEXTS) == [len(ids) for ids in read]
    assert model.tokenizer.count(["", "word " * 1_000]) == [2, 1_002]


def test_a_beginning_that_fits_is_no_shorter_than_what_the_model_would_keep(
    model: SentenceModel,
) -> None:
    text = "Immunoglobulins of dendritic cells express 12,345 antigens — 运费险由谁承保？ " * 3
    embedder = Embedder(TorchBackend(model))
    for limit in range(3, 70):
        kept = model.load().tokenizer(
            text, truncation=True, max_length=limit, return_offsets_mapping=True
        )["offset_mapping"][-2][1]
        beginning = embedder.fit(text, limit)
        assert beginning.count <= limit
        assert text.startswith(beginning.text)
        assert len(beginning.text) >= kept


LONG = {
    "words": "Immunoglobulins of dendritic cells express 12,345 antigens — 运费险由谁承保？ " * 40,
    "no spaces": "运费险由谁承保" * 300,
    "one word": "a" * 5_000,
    "white space": "one" + " " * 9_000 + "two " * 300,
    "special": "[SEP] [CLS] [MASK] " * 200,
    "short": "two words",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_what_is_read_of_a_long_text_is_what_the_model_keeps(
    model: SentenceModel, text: str
) -> None:
    embedder = Embedder(TorchBackend(model))
    for limit in (2, 3, 17, 256):
        kept = model.load().tokenizer(text, truncation=True, max_length=limit)["input_ids"]
        [read] = embedder.read([text], limit, cut=True)
        assert read.ids.tolist() == kept
        assert read.count == len(kept)


def test_a_long_text_is_refused_where_it_may_not_be_cut(model: SentenceModel) -> None:
    embedder = Embedder(TorchBackend(model))
    with pytest.raises(TextTooLong):
        embedder.read(["short", LONG["words"]], 256, cut=False)
    [read] = embedder.read([LONG["one word"]], 256, cut=False)  # one unknown word
    assert read.count == 3


def test_the_model_knows_some_words_some_in_pieces_and_some_not_at_all(
    model: SentenceModel,
) -> None:
    embedder = Embedder(TorchBackend(model))
    texts = ("What is the call sign?", "naïve café", "Jortorgil", "", "显微镜的", "的")
    assert [embedder.legible(text) for text in texts] == [1.0, 1.0, 0.625, 1.0, 0.25, 1.0]


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_model, "DEFAULT_WEIGHTS", "0" * 64)
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        SentenceModel().load()


@pytest.mark.parametrize("name", ["nobody/no-such-model", "/no/such/folder"])
def test_a_model_that_is_not_here_is_not_fetched(name: str) -> None:
    with pytest.raises(ModelUnavailable, match="FOOTNOTE_EMBEDDING_DOWNLOAD"):
        SentenceModel(name)


@pytest.mark.parametrize(
    "name", ["all-minilm", "ALL-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"]
)
def test_the_default_model_goes_by_several_names_and_costs_nothing_to_name(name: str) -> None:
    model = SentenceModel(name)
    assert model.identity == DEFAULT_IDENTITY
    assert model._loaded is None
    assert model.tokenizer.count(["two words"]) == [4]
