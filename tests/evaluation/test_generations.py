"""Whether a new generation is worse, on questions of the knowledge base's own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evaluation.generations import Comparison, by_uri, compare, compare_models
from evaluation.significance import chance_of_loss
from ingest.reindexing import Reindexing
from ingest.sources import upload
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.torch import TorchBackend
from retrieval.known_items import known_items
from retrieval.types import Chunking, Vectors
from tests.conftest import OpenEngine
from tests.ingest.workshop import Workshop, note

SAMPLES = Path(__file__).parents[2] / "sample_docs"


def test_chance_of_loss() -> None:
    assert chance_of_loss([0.0] * 50) == 1.0
    assert chance_of_loss([-0.1] * 20) < 0.001
    assert chance_of_loss([0.1] * 20) > 0.99
    assert 0.3 < chance_of_loss([0.5, -0.5, 0.1, -0.1]) < 0.8
    # Four losses of equal size: one of the sixteen ways to put signs is as low.
    assert abs(chance_of_loss([-1.0] * 4) - 1 / 16) < 0.01


def shop_of(open_test_engine: OpenEngine) -> Workshop:
    shop = Workshop(open_test_engine)
    for n in range(12):
        first = f"There is an animal{n} which lives in land{n} by river{n} ."
        shop.ingest(
            note(f"{n}", f"{first} In land{n} there is food{n} for an animal{n} by river{n} .")
        )
    return shop


def test_questions_are_sentences_that_their_passage_lacks(open_test_engine: OpenEngine) -> None:
    shop = shop_of(open_test_engine)
    items = known_items(shop.engine.chunks, shop.kb, 20)
    assert items == known_items(shop.engine.chunks, shop.kb, 20)
    assert len(items) == len(set(items)) == 20
    assert all(item.question in item.whole for item in items)
    assert all(item.question not in item.rest and item.rest for item in items)
    one = shop.engine.embedder
    same = compare_models(one, one, items)
    assert (same.questions, same.old, same.worse) == (20, same.new, False)
    assert same.old > 0.3
    blind = Embedder(Constant())
    worse = compare_models(one, blind, items)
    blind.close()
    assert (worse.worse, round(worse.new, 6)) == (True, 1 / 20)
    assert "significantly worse" in str(worse)


class Constant(HashingBackend):
    """Every text has the same vector, so every passage ties."""

    def vectors(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.identity.dimension), dtype=np.float32)
        vectors[:, 0] = 1.0
        return vectors


def test_the_real_model_beats_the_hashing_one(open_test_engine: OpenEngine) -> None:
    shop = Workshop(open_test_engine)
    shop.max_bytes = 10_000_000
    for path in sorted(SAMPLES.glob("*.*")):
        if path.suffix in (".md", ".txt", ".html", ".pdf") and path.name.isascii():
            shop.ingest(upload(path.name, path.read_bytes(), None, None))
    items = known_items(shop.engine.chunks, shop.kb, 120)
    real = Embedder(TorchBackend(SentenceModel()))
    found = compare_models(real, shop.engine.embedder, items)
    real.close()
    assert found.worse, found


def test_given_questions_are_searched_for(open_test_engine: OpenEngine) -> None:
    shop = shop_of(open_test_engine)
    target = Reindexing(shop.engine).begin(shop.kb, chunking=Chunking(64, 8))
    Reindexing(shop.engine).build(target, lambda *_: None)
    items = by_uri(shop.engine, shop.kb, [(f"animal{n} food{n}", f"{n}") for n in range(12)])
    found = compare(shop.engine, shop.kb, target, items)
    assert (found.questions, found.worse) == (12, False)
    assert found.new > 0.9
    empty = Reindexing(shop.engine).begin(shop.kb, chunking=Chunking(48, 8))
    assert compare(shop.engine, shop.kb, empty, items).worse


def test_without_questions_nothing_is_worse() -> None:
    assert not Comparison(0, 0.0, 0.0, 1.0).worse
