"""The queues by themselves, and as a state machine: nothing is lost, doubled or forgotten."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from retrieval.embedding.lanes import Lane, Lanes, Work
from retrieval.embedding.requests import Request
from retrieval.embedding.tokens import TokenizedText

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=60)


def request(lane: Lane, *tokens: int, name: str = "") -> Request:
    texts = [TokenizedText(f"{name}{at}", count) for at, count in enumerate(tokens)]
    return Request(texts, 1, lane)


def counts(batch: list[Work]) -> list[int]:
    return [work.text.count for work in batch]


@given(LENGTHS, st.integers(16, 1_000))
def test_all_are_taken_once_within_the_budget(lengths: list[int], budget: int) -> None:
    lanes = Lanes(budget)
    lanes.add(request(Lane.DOCUMENT, *lengths))
    taken: Counter[str] = Counter()
    while batch := lanes.take():
        assert len(batch) == 1 or max(counts(batch)) * len(batch) <= budget
        taken.update(work.text.text for work in batch)
    assert taken == {f"{at}": 1 for at in range(len(lengths))}
    assert not lanes and lanes.waiting(Lane.DOCUMENT) == 0


def test_like_lengths_go_together_those_that_waited_longest_first() -> None:
    lanes = Lanes(400)
    lanes.add(request(Lane.CALL, 200, 10, 199, 11, 9, 201))
    assert [counts(lanes.take()) for _ in range(3)] == [[199, 200], [9, 10, 11], [201]]


def test_lanes_are_served_in_their_order() -> None:
    lanes = Lanes(100)
    for lane in (Lane.DOCUMENT, Lane.CALL, Lane.QUESTION):
        lanes.add(request(lane, int(lane) + 1, name=lane.name))
    assert [counts(lanes.take()) for _ in Lane] == [[1], [2], [3]]
    assert lanes.take() == []


def test_a_lane_that_never_gets_its_turn_is_owed_one() -> None:
    lanes = Lanes(10)
    lanes.add(request(Lane.DOCUMENT, *[10] * 100, name="d"))
    spent = {Lane.QUESTION: 0.0, Lane.DOCUMENT: 0.0}
    for number in range(400):
        lanes.add(request(Lane.QUESTION, 10, name=f"q{number}"))
        [work] = lanes.take()
        seconds = 0.01 if work.lane is Lane.QUESTION else 0.07
        lanes.spent(work.lane, seconds)
        lanes.finish(work)
        spent[work.lane] += seconds
    share = spent[Lane.DOCUMENT] / sum(spent.values())
    assert 0.1 < share < 0.25


def test_a_large_request_lets_small_ones_pass() -> None:
    lanes = Lanes(100)
    lanes.add(request(Lane.CALL, *[100] * 5_000, name="large"))
    lanes.add(request(Lane.CALL, 100, name="small"))
    before = next(n for n in range(5_000) if lanes.take()[0].text.text.startswith("small"))
    assert before < 1_000


def test_a_question_hurries_a_document_that_has_its_words() -> None:
    lanes = Lanes(10)
    document, question = request(Lane.DOCUMENT, 10, 10), request(Lane.QUESTION, 10)
    question.texts = document.texts[1:]
    lanes.add(document)
    lanes.add(question)
    assert (lanes.waiting(Lane.QUESTION), lanes.waiting(Lane.DOCUMENT)) == (1, 1)
    [first] = lanes.take()
    assert lanes.finish(first) == [(document, 1), (question, 0)]
    [second] = lanes.take()
    assert lanes.finish(second) == [(document, 0)]
    assert lanes.take() == []


class Machine(RuleBasedStateMachine):
    """Requests over few texts, so that they share; the model is what each still lacks."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes = Lanes(8)
        self.lanes._window = 12  # so that requests have more than their place in the queue
        self.lacks: dict[Request, set[int]] = {}
        self.running: list[Work] = []

    @rule(lane=st.sampled_from(Lane), words=st.lists(st.integers(0, 30), min_size=1, max_size=25))
    def add(self, lane: Lane, words: list[int]) -> None:
        made = Request([TokenizedText(f"{word}", 1 + word % 5) for word in words], 1, lane)
        self.lacks[made] = set(range(len(words)))
        self.lanes.add(made)

    @precondition(lambda self: self.lacks)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(list(self.lacks)))
        self.lanes.forget(gone)
        del self.lacks[gone]

    @rule()
    def take(self) -> None:
        batch = self.lanes.take()
        texts = [work.text.text for work in batch + self.running]
        assert len(set(texts)) == len(texts), "a text runs twice"
        assert all(work.wanted for work in batch), "nobody wants what runs"
        self.running += batch

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        work = data.draw(st.sampled_from(self.running))
        self.running.remove(work)
        self._deliver(work)

    def _deliver(self, work: Work) -> None:
        for wanting, row in self.lanes.finish(work):
            if wanting in self.lacks:
                self.lacks[wanting].remove(row)  # raises where it comes twice
                if not self.lacks[wanting]:
                    self.lanes.forget(wanting)
                    del self.lacks[wanting]

    @invariant()
    def waits_what_is_wanted(self) -> None:
        running = {work.text.text for work in self.running}
        wanted = {
            request.texts[row].text for request, rows in self.lacks.items() for row in rows
        } - running
        assert bool(self.lanes) or not wanted or self.running, "it would never be done"
        assert all(self.lanes.waiting(lane) >= 0 for lane in Lane)
        if not self.lacks:
            assert not any(self.lanes.waiting(lane) for lane in Lane)

    def teardown(self) -> None:
        while batch := self.lanes.take():
            self.running += batch
        for work in self.running:
            self._deliver(work)
        while batch := self.lanes.take():
            for work in batch:
                self._deliver(work)
        assert not self.lacks, "somebody waits for ever"
        assert not self.lanes._works and not self.lanes._queued


TestLanes = Machine.TestCase
TestLanes.settings = settings(max_examples=200, stateful_step_count=40)
