from concurrent.futures import Future

from hypothesis import given
from hypothesis import strategies as st

from retrieval.embedding.lanes import Lane, Lanes, Work


def work(*tokens: int) -> list[Work]:
    return [Work(f"{index}", count, Future()) for index, count in enumerate(tokens)]


LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=60)


@given(LENGTHS, st.integers(16, 1_000))
def test_all_are_taken_once_and_the_first_in_each_batch_waited_longest(
    lengths: list[int], budget: int
) -> None:
    lanes, waiting = Lanes(), work(*lengths)
    lanes.add(Lane.DOCUMENT, waiting)
    left = list(waiting)
    while batch := lanes.take(budget):
        assert left[0] in batch
        assert len(batch) == 1 or max(w.tokens for w in batch) * len(batch) <= budget
        assert [w for w in left if w in batch] == batch
        left = [w for w in left if w not in batch]
    assert left == [] and len(lanes) == 0


def test_like_lengths_go_together() -> None:
    lanes = Lanes()
    lanes.add(Lane.CALL, work(10, 200, 11, 199, 9, 201))
    assert [w.tokens for w in lanes.take(40)] == [10, 11, 9]
    assert [w.tokens for w in lanes.take(700)] == [200, 199, 201]


def test_lanes_are_served_in_their_order() -> None:
    lanes = Lanes()
    for lane in (Lane.DOCUMENT, Lane.CALL, Lane.QUESTION):
        lanes.add(lane, work(int(lane) + 1))
    assert [lanes.take(100)[0].tokens for _ in Lane] == [1, 2, 3]
    assert lanes.take(100) == []


def test_what_is_drained_waits_no_more() -> None:
    lanes = Lanes()
    lanes.add(Lane.CALL, work(1, 2))
    lanes.add(Lane.DOCUMENT, work(3))
    assert (lanes.waiting(Lane.CALL), len(lanes)) == (2, 3)
    assert [w.tokens for w in lanes.drain()] == [1, 2, 3]
    assert len(lanes) == 0
