import pytest

from retrieval.embedding.registry import Embedders
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.torch import TorchBackend
from retrieval.types import Chunk, Hit, Outcome
from retrieval.verifying.verifier import Verifier

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
    finding = verifier.verify(sentence, [hit])
    support = finding.support
    assert finding.outcome is Outcome.VERIFIED and support is not None
    assert TEXT[support.start - AT : support.end - AT].startswith(quote)
    assert 0 < support.score <= 1


@pytest.mark.parametrize(
    ("sentence", "difference"),
    [
        ("Batteries are covered for 12 months.", "number"),
        ("Batteries are covered for 6 years.", "unit"),
        ("Batteries are not covered for 6 months.", "negation"),
        ("Batteries of Duracell are covered for 6 months.", "name"),
        ("Its price is 1,399.00 EUR.", "number"),
        ("运费险的理赔时限是30天。", "number"),
        ("退货运费不由卖家承担。", "negation"),
    ],
)
def test_what_a_passage_says_otherwise(
    verifier: Verifier, hit: Hit, sentence: str, difference: str
) -> None:
    finding = verifier.verify(sentence, [hit])
    assert finding.outcome is Outcome.CONTRADICTED
    assert [one.kind for one in finding.differences] == [difference]


@pytest.mark.parametrize(
    "sentence",
    ["The moon is made of cheese.", "Paris is the capital of France.", "...", ""],
)
def test_what_no_passage_says(verifier: Verifier, hit: Hit, sentence: str) -> None:
    assert verifier.verify(sentence, [hit]).outcome is Outcome.UNSUPPORTED
    assert verifier.verify(sentence, []).outcome is Outcome.UNSUPPORTED


def test_what_holds_somewhere_is_verified_there(verifier: Verifier, hit: Hit) -> None:
    other = "Batteries are covered for 6 weeks only."
    chunk = Chunk("o", "other", "v", 0, 0, len(other), (), "", 9)
    against = Hit(chunk, "u", "t", other, None, 1.0, 2, ())
    finding = verifier.verify("Batteries are covered for 6 months.", [against, hit])
    assert finding.outcome is Outcome.VERIFIED
    assert finding.support and finding.support.hit is hit
