"""What may be told of documents, by when it was asked."""

from dataclasses import dataclass
from time import perf_counter

from evaluation.serving_soak.ledger import Ledger


@dataclass(frozen=True)
class Part:
    uri: str
    start: int
    end: int
    said: str


def test_what_stands_may_be_told_and_what_stood_when_it_was_asked() -> None:
    ledger = Ledger()
    ledger.write("a", "old words")
    before = perf_counter()
    old, new = Part("a", 0, 3, "old"), Part("a", 0, 3, "new")
    assert ledger.untruth(old, before) is None
    assert "never said this from 0 to 3" in (ledger.untruth(new, before) or "")
    ledger.write("a", "new words")
    assert ledger.untruth(new, before) is ledger.untruth(old, before) is None  # on its way
    ledger.forget("a", but="new words")
    after = perf_counter()
    assert ledger.untruth(old, before) is None
    assert "said otherwise" in (ledger.untruth(old, after) or "")
    assert ledger.untruth(new, after) is None
    assert ledger.untruth(Part("a", 4, 9, "words"), after) is None  # in both
    ledger.forget("a")
    assert "was deleted" in (ledger.untruth(new, perf_counter()) or "")
    ledger.write("a", "old words")  # again
    assert ledger.untruth(old, perf_counter()) is None


def test_a_part_is_the_slice_that_it_says() -> None:
    ledger = Ledger()
    ledger.write("a", "one two")
    now = perf_counter()
    assert ledger.untruth(Part("a", 4, 7, "two"), now) is None
    assert ledger.untruth(Part("a", 3, 7, "two"), now)
    assert ledger.untruth(Part("a", 4, 4, ""), now)
    assert ledger.untruth(Part("b", 4, 7, "two"), now) == "b was never sent"
