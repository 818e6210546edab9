from hypothesis import given
from hypothesis import strategies as st

from retrieval.embedding.batching import batches_by_length
from retrieval.embedding.tokens import TokenizedText, padded


@given(st.lists(st.integers(1, 60), max_size=40), st.integers(1, 200))
def test_batches_keep_to_their_budget_and_hold_all(counts: list[int], budget: int) -> None:
    batches = list(batches_by_length([TokenizedText("", count) for count in counts], budget))
    assert sorted(at for batch in batches for at in batch) == list(range(len(counts)))
    for batch in batches:
        assert len(batch) == 1 or max(counts[at] for at in batch) * len(batch) <= budget
        assert len({padded(counts[at]) for at in batch}) == 1
    in_order = [counts[at] for batch in batches for at in batch]
    assert in_order == sorted(counts)
