import pytest

from retrieval.question import weigh
from retrieval.reading.features import Features, candidates, features
from retrieval.reading.scoring import ENGLISH, shares
from retrieval.types import Chunk, Hit

TEXT = "Warranty. The pump is covered for two years. It was built in Leeds."
AT = 100


def hit(text: str = TEXT, score: float = 0.5, rank: int = 1) -> Hit:
    chunk = Chunk(f"c{rank}", "d", "v", 0, AT, AT + len(text), ("Kestrel",), "", 9)
    return Hit(chunk, "u", "Manual", text, None, score, rank, ())


def test_candidates_are_spans_of_the_document() -> None:
    [found] = candidates([hit()], 9)
    assert [one.text for one in found] == [
        TEXT[one.span.start - AT : one.span.end - AT] for one in found
    ]
    assert [one.at for one in found] == [0, 1, 2]


def test_no_more_candidates_than_asked_for() -> None:
    found = candidates([hit(), hit(rank=2), hit(rank=3)], 4)
    assert [len(group) for group in found] == [3, 1]
    assert candidates([], 4) == []


def test_what_speaks_for_a_sentence() -> None:
    question = "How many years is the Kestrel pump covered?"
    terms = weigh(["kestrel", "pump", "cover", "year"], {}, 10)
    found = candidates([hit(), hit("Nothing of that.", 0.25, 2)], 9)
    rows = features(question, terms, found, [0.1, 0.6, 0.2, -0.1])
    first, second, third, other = rows
    assert [row.cosine for row in rows] == [0.1, 0.6, 0.2, -0.1]
    assert [row.near_cosine for row in rows] == [0.6, 0.6, 0.6, -0.1]
    assert second.coverage == pytest.approx(1.0)  # Kestrel stands in the heading
    assert first.coverage == third.coverage == pytest.approx(0.25)
    assert third.after_coverage == pytest.approx(1.0)
    assert second.passage_coverage == pytest.approx(1.0)
    assert other.passage_coverage == pytest.approx(0.25)
    assert (second.passage_score, other.passage_score) == (1.0, 0.5)
    assert (first.first, second.first, other.first) == (1.0, 0.0, 1.0)
    assert (first.kind, second.kind) == (0.0, 1.0)
    assert [row.lacks_number for row in rows] == [0.0] * 4
    assert [row.lacks_name for row in rows] == [0.0] * 4  # a heading has it


def test_a_number_is_looked_for_near_a_sentence_and_a_name_in_the_whole_hit() -> None:
    found = candidates([hit("Locker 11 is red. Its code is 4. Ada has it. Bob too."), hit()], 9)
    rows = features("Which code has Ada's locker 11?", weigh(["code"], {}, 10), found, [0.0] * 7)
    assert [row.lacks_number for row in rows] == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert [row.lacks_name for row in rows] == [0.0] * 4 + [1.0] * 3


def test_shares_are_probabilities_and_follow_the_score() -> None:
    low = Features(*([0.0] * len(ENGLISH.__slots__)))
    high = Features(0.8, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 2.0, 0.0, 0.0, 0.0)
    found = shares([low, high, low], ENGLISH)
    assert sum(found) == pytest.approx(1.0)
    assert found[1] == max(found)
    assert found[0] == found[2]
    assert shares([low], ENGLISH) == [1.0]
