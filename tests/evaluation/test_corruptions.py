import random

import pytest

from evaluation.beir import Entry
from evaluation.corruptions import Corruption, corrupted, names
from evaluation.verifying import measure
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.registry import Embedders
from retrieval.verifying.verifier import Verifier

ENGLISH = "In March 1973 the price of Arabian oil was 12 dollars and it rose to 40 dollars."
CHINESE = "海岚净水器于2019年3月投产，重12公斤，由《海岚日报》报道，它是新产品。"


def changed(sentence: str, kind: Corruption, seed: int = 0) -> str | None:
    return corrupted(sentence, kind, ["Venus"], random.Random(seed))  # noqa: S311 - no secret


@pytest.mark.parametrize("sentence", [ENGLISH, CHINESE])
@pytest.mark.parametrize("kind", [kind for kind in Corruption if kind is not Corruption.PASSAGE])
def test_one_thing_is_changed_and_the_same_for_the_same_seed(
    sentence: str, kind: Corruption
) -> None:
    made = {changed(sentence, kind, seed) for seed in range(9)}
    assert None not in made
    assert sentence not in made
    assert changed(sentence, kind, 3) == changed(sentence, kind, 3)


@pytest.mark.parametrize("kind", [kind for kind in Corruption if kind is not Corruption.PASSAGE])
def test_a_sentence_without_such_a_thing_is_left(kind: Corruption) -> None:
    assert changed("Nothing here.", kind) is None
    assert changed("没了。", kind) is None


def test_names_are_those_that_may_stand_for_others() -> None:
    assert names("Yesterday Ada Lovelace met Charles in 《伦敦》.") == [
        "Ada Lovelace",
        "Charles",
        "伦敦",
    ]


def test_changed_sentences_are_detected_and_true_ones_are_not() -> None:
    corpus = [
        Entry("oil", "Oil", ENGLISH + " Later it fell to 11 dollars, which nobody expected then."),
        Entry("water", "", CHINESE + "它的保修期是24个月，电池不在保修范围之内。"),
        Entry(
            "moon",
            "",
            "The Moon is 384,400 km away from Earth. Armstrong stood on it in July 1969.",
        ),
    ]
    embedders = Embedders(lambda _name, _dtype: HashingBackend())
    told: list[int] = []
    try:
        found = measure(Verifier(embedders), corpus, 3, 0, told.append)
    finally:
        embedders.close()
    assert found.keys() == set(Corruption)
    assert all(one.false_alarms.mean == 0.0 for one in found.values())
    for kind in (Corruption.NUMBER, Corruption.DATE, Corruption.PASSAGE):
        assert found[kind].detected.mean == 1.0
    assert found[Corruption.NUMBER].contradicted == 1.0
    assert found[Corruption.PASSAGE].contradicted == 0.0
    assert told == list(range(1, sum(one.pairs for one in found.values()) + 1))
