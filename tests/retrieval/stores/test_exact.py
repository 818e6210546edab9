import math

import pytest

from retrieval.bm25 import idf
from retrieval.ports import Posting
from retrieval.stores.exact import ExactVectorStore
from retrieval.stores.exact_lexical import ExactLexicalStore
from tests.contracts.lexical_store import LexicalStoreContract, NewLexicalStore
from tests.contracts.vector_store import NewVectorStore, VectorStoreContract


class TestExactVectorStore(VectorStoreContract):
    @pytest.fixture
    def new_store(self) -> NewVectorStore:
        return ExactVectorStore


class TestExactLexicalStore(LexicalStoreContract):
    @pytest.fixture
    def new_store(self) -> NewLexicalStore:
        return ExactLexicalStore


def test_bm25_by_hand() -> None:
    store = ExactLexicalStore()
    store.upsert([Posting("a", "d", "cat cat dog"), Posting("b", "d", "dog")])
    ((id_, score),) = store.query("cat", 5)
    length = 1 - 0.75 + 0.75 * 3 / 2
    assert id_ == "a"
    assert score == pytest.approx(math.log(1 + 1.5 / 1.5) * 2 * 2.2 / (2 + 1.2 * length))


def test_idf_is_positive_even_of_a_term_in_every_chunk() -> None:
    assert idf(10, 10) > 0
