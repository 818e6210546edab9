import pytest

from retrieval.embedding.registry import Embedders
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.torch import TorchBackend
from retrieval.types import Chunk, Hit
from retrieval.verification import Verifier, numbers

TEXT = (
    "The warranty of the Kestrel lasts twenty-four months. Batteries are covered for 6 months. "
    "Its price is 1,299.00 EUR. 运费险的理赔时限是７天。退货运费由卖家承担。"
)
AT = 1_000


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(Embedders(lambda _name, _dtype: TorchBackend(SentenceModel())))


@pytest.fixture(scope="module")
def hit() -> Hit:
    chunk = Chunk("c", "d", "v", 0, AT, AT + len(TEXT), (), "", 60)
    return Hit(chunk, "u", "t", TEXT, None, 1.0, 1, ())


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The Kestrel's warranty lasts twenty-four months.", "The warranty of the Kestrel"),
        ("Batteries are covered for 6 months.", "Batteries are covered"),
        ("It costs 1299.00 EUR, that is its price.", "Its price is"),
        ("运费险的理赔时限是7天。", "运费险的理赔时限是"),
        ("退货运费由卖家承担。", "退货运费由卖家承担"),
    ],
)
def test_the_words_that_support_a_sentence(
    verifier: Verifier, hit: Hit, sentence: str, quote: str
) -> None:
    support = verifier.support(sentence, [hit])
    assert support is not None
    assert TEXT[support.start - AT : support.end - AT].startswith(quote)
    assert 0 < support.score <= 1


@pytest.mark.parametrize(
    "sentence",
    [
        "Batteries are covered for 12 months.",
        "The price is 1,399.00 EUR.",
        "运费险的理赔时限是30天。",
        "The moon is made of cheese.",
        "Paris is the capital of France.",
        "...",
        "",
    ],
)
def test_what_no_passage_says(verifier: Verifier, hit: Hit, sentence: str) -> None:
    assert verifier.support(sentence, [hit]) is None
    assert verifier.support(sentence, []) is None


def test_numbers_are_compared_however_they_are_written() -> None:
    assert numbers("1,299.00 and ７ of 12:30") == {"1299.00", "7", "12:30"}
    assert numbers("none") == frozenset()
