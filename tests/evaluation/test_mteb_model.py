"""The embedder as MTEB calls it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("mteb")

from mteb.models import EncoderProtocol, SearchProtocol
from mteb.types import PromptType

from evaluation.mteb_model import MtebModel, meta_of
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.identity import Prefixes
from retrieval.embedding.tokens import TokenizedText
from retrieval.errors import EmbeddingFailed
from retrieval.types import Vectors

IDENTITY = replace(
    HashingBackend(window=12).identity, prefixes=Prefixes("question : ", "passage : ")
)


class Spy(HashingBackend):
    """Keeps what it is given, and fails on poison."""

    def __init__(self) -> None:
        super().__init__()
        self.identity = IDENTITY
        self.texts: list[str] = []

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
        self.texts += [text.text for text in texts]
        if any("poison" in text.text for text in texts):
            raise ValueError("poison")
        return super().encode(texts, urgent=urgent)


@pytest.fixture
def spy() -> Spy:
    return Spy()


@pytest.fixture
def embedder(spy: Spy) -> Iterator[Embedder]:
    with closing(Embedder(spy)) as embedder:
        yield embedder


def test_it_is_what_mteb_calls_an_encoder_and_no_searcher(embedder: Embedder) -> None:
    model = MtebModel(embedder)
    assert isinstance(model, EncoderProtocol)
    assert not isinstance(model, SearchProtocol)


def test_queries_get_their_prefix_and_all_else_that_of_documents(
    embedder: Embedder, spy: Spy
) -> None:
    model = MtebModel(embedder)
    batches = [{"text": ["tea", "milk"]}, {"text": ["运费险"]}]
    vectors = model.encode(batches, prompt_type=PromptType.query)
    assert sorted(spy.texts) == ["question : milk", "question : tea", "question : 运费险"]
    expected = spy.vectors(["question : tea", "question : milk", "question : 运费险"])
    np.testing.assert_array_equal(vectors, expected)  # in the order in which they came
    for kind in (PromptType.document, None):
        spy.texts.clear()
        model.encode([{"text": ["tea"]}], prompt_type=kind)
        assert spy.texts == ["passage : tea"]


def test_a_text_beyond_the_window_is_cut_with_its_prefix_and_counted(
    embedder: Embedder, spy: Spy
) -> None:
    seen: list[int] = []
    model = MtebModel(embedder, seen.append)
    long = " ".join(f"word{n}" for n in range(30))
    fitting = " ".join(f"word{n}" for n in range(8))  # 2 of the prefix, 2 special ones
    texts = {"text": [long, fitting, f"{fitting} more"]}
    vectors = model.encode([texts], prompt_type=PromptType.document)
    expected = [embedder.fit(f"passage : {text}", IDENTITY.window).text for text in texts["text"]]
    assert expected[1] == f"passage : {fitting}"
    assert all(IDENTITY.window - 1 <= count <= 12 for count in spy.count_tokens(expected))
    np.testing.assert_array_equal(vectors, spy.vectors(expected))
    assert (model.cut_questions, model.cut_documents) == (0, 2)
    model.encode([{"text": ["short", long]}], prompt_type=PromptType.query)
    assert (model.cut_questions, model.cut_documents) == (1, 2)
    assert seen == [3, 5]


def test_many_texts_keep_their_order(embedder: Embedder, spy: Spy) -> None:
    texts = [f"word{n % 700} of {n % 31}" for n in range(1_500)]
    vectors = MtebModel(embedder).encode([{"text": texts}])
    np.testing.assert_array_equal(vectors, spy.vectors([f"passage : {one}" for one in texts]))
    assert MtebModel(embedder).encode([]).shape == (0, IDENTITY.dimension)


def test_what_cannot_be_embedded_fails(embedder: Embedder) -> None:
    with pytest.raises(EmbeddingFailed, match="poison"):
        MtebModel(embedder).encode([{"text": ["tea", "poison"]}])


def test_similarity_is_the_cosine(embedder: Embedder) -> None:
    model = MtebModel(embedder)
    one, other = model.encode([{"text": ["tea", "milk"]}]), model.encode([{"text": ["tea", "tea"]}])
    np.testing.assert_allclose(model.similarity(one, other), one @ other.T, atol=1e-6)
    pairs = (one * other).sum(axis=1)
    np.testing.assert_allclose(model.similarity_pairwise(one, other), pairs, atol=1e-6)


def test_the_revision_is_the_fingerprint() -> None:
    meta = meta_of(IDENTITY)
    assert (meta.name, meta.revision) == ("footnote/hashing", IDENTITY.fingerprint)
    assert (meta.embed_dim, meta.max_tokens) == (IDENTITY.dimension, 12)
    assert meta.use_instructions
    assert not meta_of(HashingBackend().identity).use_instructions


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("intfloat/e5-small-v2", "footnote/intfloat-e5-small-v2"),
        ("ollama:all-minilm:latest", "footnote/ollama-all-minilm-latest"),
        ("/models/我的 model", "footnote/models-我的-model"),
        ("///", "footnote/model"),
    ],
)
def test_the_name_is_one_of_a_folder(name: str, told: str) -> None:
    meta = meta_of(replace(IDENTITY, name=name))
    assert (meta.name, meta.adapted_from) == (told, name)
