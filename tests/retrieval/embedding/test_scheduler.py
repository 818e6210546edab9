import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from retrieval.embedding import scheduler
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.identity import Prefixes
from retrieval.embedding.lanes import Lane
from retrieval.embedding.tokens import TokenizedText
from retrieval.errors import EmbeddingFailed, Overloaded, TextTooLong
from retrieval.types import Vector, Vectors

SOON = 120.0
NewEmbedder = Callable[..., Embedder]


class Gated(HashingBackend):
    """Keeps its batches, waits at a gate, and fails on texts with "poison" in them."""

    def __init__(self, window: int = 256, budget: int = 64) -> None:
        super().__init__(dimension=32, window=window)
        self.batch_tokens = budget
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self.spoil: Callable[[Vectors], Vectors] = lambda vectors: vectors

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
        self.batches.append([text.text for text in texts])
        self.begun.set()
        assert self.gate.wait(SOON)
        if any("poison" in text.text for text in texts):
            raise ValueError("poison")
        return self.spoil(super().encode(texts, urgent=urgent))


@pytest.fixture
def backend() -> Gated:
    return Gated()


@pytest.fixture
def new_embedder() -> Iterator[NewEmbedder]:
    made: list[Embedder] = []

    def new(backend: Gated) -> Embedder:
        made.append(Embedder(backend))
        return made[-1]

    yield new
    for embedder in made:
        embedder.close()


def hashed(texts: Sequence[str]) -> Vectors:
    """What the backend makes of texts, at 32 dimensions."""
    return HashingBackend(32).vectors(texts)


def texts(count: int) -> list[str]:
    return [f"text {'词 ' * (number * 7 % 11)}{number}" for number in range(count)]


def test_vectors_come_in_the_order_of_their_texts(
    backend: Gated, new_embedder: NewEmbedder
) -> None:
    embedder = new_embedder(backend)
    asked = texts(40)
    vectors = embedder.embed_documents(asked)
    assert np.array_equal(vectors, hashed(asked))
    assert embedder.embed_documents([]).shape == (0, 32)


def test_no_batch_exceeds_the_budget_and_little_is_padded(
    backend: Gated, new_embedder: NewEmbedder
) -> None:
    new_embedder(backend).embed_documents(texts(200))
    padded = real = 0
    for batch in backend.batches:
        counts = backend.count_tokens(batch)
        assert len(batch) == 1 or max(counts) * len(batch) <= backend.batch_tokens
        padded, real = padded + max(counts) * len(batch), real + sum(counts)
    assert padded < 1.1 * real
    assert len(backend.batches) < 200


def test_questions_overtake_documents(backend: Gated, new_embedder: NewEmbedder) -> None:
    embedder = new_embedder(backend)
    backend.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        documents = pool.submit(embedder.embed_documents, texts(100))
        assert backend.begun.wait(SOON)
        question = pool.submit(embedder.embed_query, "question")
        while not embedder.waiting(Lane.QUESTION):
            threading.Event().wait(0.001)
        backend.gate.set()
        question.result(SOON)
        documents.result(SOON)
    assert backend.batches[1] == ["question"]


def test_a_poison_text_fails_alone(backend: Gated, new_embedder: NewEmbedder) -> None:
    embedder = new_embedder(backend)
    backend.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(embedder.embed_documents, ["first"])
        assert backend.begun.wait(SOON)
        poisoned = pool.submit(embedder.embed_documents, ["a", "the poison text", "b"])
        healthy = pool.submit(embedder.embed_documents, ["c", "d"])
        while embedder.waiting(Lane.DOCUMENT) < 5:
            threading.Event().wait(0.001)
        backend.gate.set()
        assert healthy.result(SOON).shape == (2, 32)
        assert first.result(SOON).shape == (1, 32)
        with pytest.raises(EmbeddingFailed, match="the poison text"):
            poisoned.result(SOON)
    assert embedder.embed_query("still works").shape == (32,)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda vectors: vectors * np.nan,
        lambda vectors: vectors * 2,
        lambda vectors: np.zeros_like(vectors),
        lambda vectors: vectors[:0],
    ],
)
def test_a_vector_that_cannot_be_used_is_never_returned(
    backend: Gated, new_embedder: NewEmbedder, spoil: Callable[[Vectors], Vectors]
) -> None:
    backend.spoil = spoil
    with pytest.raises(EmbeddingFailed):
        new_embedder(backend).embed_documents(["one", "two"])


def test_what_exceeds_the_window_is_refused_and_not_cut(new_embedder: NewEmbedder) -> None:
    backend = Gated(window=16)
    embedder = new_embedder(backend)
    with pytest.raises(TextTooLong, match="16 tokens"):
        embedder.embed_documents(["short", "long " * 20])
    assert backend.batches == []


def test_a_long_question_is_embedded_in_pieces(new_embedder: NewEmbedder) -> None:
    backend = Gated(window=16)
    embedder = new_embedder(backend)
    question = " ".join(f"w{number}" for number in range(100))
    question += "".join(chr(0x4E00 + number) for number in range(100))
    vector = embedder.embed_query(question)
    pieces = [text for batch in backend.batches for text in batch]
    assert "".join(sorted(pieces, key=question.index)) == question
    assert max(backend.count_tokens(pieces)) <= 16
    mean = hashed(pieces).mean(axis=0)
    assert np.allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)


def test_questions_and_documents_have_their_prefixes(
    backend: Gated, new_embedder: NewEmbedder
) -> None:
    prefixes = Prefixes("query: ", "passage: ")
    backend.identity = replace(backend.identity, prefixes=prefixes)
    embedder = new_embedder(backend)
    embedder.embed_query("one")
    embedder.embed_documents(["two"])
    assert backend.batches == [["query: one"], ["passage: two"]]
    assert embedder.count_tokens(["two"]) == backend.count_tokens(["passage: two"])


def test_too_much_at_once_is_refused(
    backend: Gated, new_embedder: NewEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "_MOST", {**scheduler._MOST, Lane.QUESTION: 3})
    embedder = new_embedder(backend)
    with pytest.raises(Overloaded, match="Try again in"):
        embedder.embed_passages(texts(4))
    assert embedder.embed_passages(texts(3)).shape == (3, 32)
    assert embedder.embed_documents(texts(50)).shape == (50, 32)


def closing_the_gate(backend: Gated) -> Callable[[Vectors], Vectors]:
    """Lets the batch at hand through, and the next one wait."""

    def close(vectors: Vectors) -> Vectors:
        if len(backend.batches) == 1:
            backend.gate.clear()
        return vectors

    return close


def by_key(count: int, *more: str) -> dict[str, TokenizedText]:
    tokenized = HashingBackend().tokenize([*texts(count), *more])
    return {f"key {number}": text for number, text in enumerate(tokenized)}


def test_a_stream_gives_each_vector_once(backend: Gated, new_embedder: NewEmbedder) -> None:
    asked = by_key(600)
    got: dict[str, Vector] = {}
    for part in new_embedder(backend).stream_documents(asked):
        assert part and not part.keys() & got.keys()
        got |= part
    assert got.keys() == asked.keys()
    expected = hashed([text.text for text in asked.values()])
    assert np.array_equal(np.stack([got[key] for key in asked]), expected)


def test_a_stream_gives_what_is_ready_before_it_fails(
    backend: Gated, new_embedder: NewEmbedder
) -> None:
    asked = by_key(20, "the poison text")
    got: set[str] = set()
    with pytest.raises(EmbeddingFailed, match="poison"):
        for part in new_embedder(backend).stream_documents(asked):
            got |= part.keys()
    assert got and got <= by_key(20).keys()


def test_a_stream_that_is_left_drops_the_rest(backend: Gated, new_embedder: NewEmbedder) -> None:
    embedder = new_embedder(backend)
    backend.spoil = closing_the_gate(backend)
    stream = embedder.stream_documents(by_key(200))
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    backend.gate.set()
    embedder.embed_documents(["after"])
    assert len(backend.batches) <= 3  # one before, one on its way, and this


def test_closing_after_somebody_gave_up(backend: Gated, new_embedder: NewEmbedder) -> None:
    embedder = new_embedder(backend)
    backend.spoil = closing_the_gate(backend)
    with ThreadPoolExecutor(1) as pool:
        stream = embedder.stream_documents(by_key(200))
        next(stream)
        stream.close()  # type: ignore[attr-defined]  # a generator
        closing = pool.submit(embedder.close)
        backend.gate.set()
        closing.result(SOON)


def test_closing_fails_what_waits(backend: Gated, new_embedder: NewEmbedder) -> None:
    embedder = new_embedder(backend)
    backend.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(embedder.embed_documents, texts(100))
        assert backend.begun.wait(SOON)
        closing = pool.submit(embedder.close)
        while not embedder._scheduler._closed:
            threading.Event().wait(0.001)
        backend.gate.set()
        closing.result(SOON)
        with pytest.raises(EmbeddingFailed, match="closed"):
            waiting.result(SOON)
    with pytest.raises(EmbeddingFailed, match="closed"):
        embedder.embed_query("too late")


def test_many_threads_each_get_their_own(backend: Gated, new_embedder: NewEmbedder) -> None:
    embedder = new_embedder(backend)

    def embed(number: int) -> bool:
        own = [f"thread {number} text {n}" for n in range(20)]
        one = embedder.embed_query(own[0])
        return np.array_equal(embedder.embed_documents(own), hashed(own)) and np.array_equal(
            one, hashed(own[:1])[0]
        )

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(embed, range(32)))


def test_equal_texts_in_flight_are_embedded_once(backend: Gated, new_embedder: NewEmbedder) -> None:
    embedder = new_embedder(backend)
    backend.gate.clear()
    first = embedder.submit(backend.tokenize(["busy"]), Lane.CALL)
    assert backend.begun.wait(SOON)
    same = [embedder.submit(backend.tokenize(["busy", "twice", "twice"]), Lane.CALL) for _ in "ab"]
    backend.gate.set()
    assert first.done.result(SOON).shape == (1, 32)
    for request in same:
        assert np.array_equal(request.done.result(SOON), hashed(["busy", "twice", "twice"]))
    assert backend.batches == [["busy"], ["twice"]]


def test_a_question_is_embedded_once_while_it_is_remembered(
    backend: Gated, new_embedder: NewEmbedder
) -> None:
    embedder = new_embedder(backend)
    one, other = embedder.embed_query("again"), embedder.embed_query("again")
    assert one is other
    assert not one.flags.writeable
    assert backend.batches == [["again"]]
    assert embedder.questions_remembered == 1


def test_a_request_tells_how_long_it_waited_and_what_was_read(
    backend: Gated, new_embedder: NewEmbedder
) -> None:
    embedder = new_embedder(backend)
    backend.gate.clear()
    embedder.submit(backend.tokenize(["first"]), Lane.CALL)
    assert backend.begun.wait(SOON)
    request = embedder.submit(backend.tokenize(["two words"]), Lane.CALL)
    threading.Event().wait(0.02)
    backend.gate.set()
    request.done.result(SOON)
    assert request.timings.queued >= 0.02
    assert request.timings.completed > request.timings.began
    assert request.timings.tokens == 4


def test_what_was_done_is_measured_by_lane(backend: Gated, new_embedder: NewEmbedder) -> None:
    embedder = new_embedder(backend)
    embedder.embed_documents(["one", "two three"])
    embedder.embed_query("four")
    with pytest.raises(EmbeddingFailed):
        embedder.embed_documents(["poison"])
    measured = embedder.measured()
    documents, questions = measured[Lane.DOCUMENT], measured[Lane.QUESTION]
    assert (documents.batches, documents.texts, documents.tokens, documents.padded) == (
        2,
        3,
        10,
        11,
    )
    assert (documents.failed, questions.failed) == (1, 0)
    assert (questions.texts, sum(questions.classes)) == (1, 1)
    assert measured[Lane.CALL].batches == 0


def test_when_to_come_back_is_told(
    backend: Gated, new_embedder: NewEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "_MOST", {**scheduler._MOST, Lane.CALL: 2})
    embedder = new_embedder(backend)
    backend.gate.clear()
    embedder.submit(backend.tokenize(["a"]), Lane.CALL)
    assert backend.begun.wait(SOON)
    kept = embedder.submit(backend.tokenize(["b", "c"]), Lane.CALL)
    with pytest.raises(Overloaded) as refused:
        embedder.submit(backend.tokenize(["d"]), Lane.CALL)
    assert refused.value.retry_after >= 1
    backend.gate.set()
    assert kept.done.result(SOON).shape == (2, 32)
    assert embedder.submit(backend.tokenize(["d"]), Lane.CALL).done.result(SOON).shape == (1, 32)


@pytest.mark.parametrize("spoil", [lambda v: v[:, :-1], lambda v: v[:-1], lambda v: v[0]])
def test_vectors_of_another_shape_fail_their_request_alone(
    backend: Gated, new_embedder: NewEmbedder, spoil: Callable[[Vectors], Vectors]
) -> None:
    embedder = new_embedder(backend)
    backend.spoil = spoil
    with pytest.raises(EmbeddingFailed, match="were expected"):
        embedder.embed_documents(["one", "two"])
    backend.spoil = lambda vectors: vectors
    assert embedder.embed_documents(["one", "two"]).shape == (2, 32)


def test_a_listener_that_fails_fails_its_request_alone(
    backend: Gated, new_embedder: NewEmbedder
) -> None:
    def listen(_request: object, _rows: object) -> None:
        raise MemoryError("full")

    embedder = new_embedder(backend)
    request = embedder.submit(backend.tokenize(["one"]), Lane.DOCUMENT, listen)
    with pytest.raises(MemoryError):
        request.done.result(SOON)
    assert embedder.embed_documents(["two"]).shape == (1, 32)


def test_a_passage_longer_than_the_window_is_the_mean_of_its_pieces(
    backend: Gated, new_embedder: NewEmbedder
) -> None:
    embedder = new_embedder(backend)
    long = "zebra " * 600
    found = embedder.embed_passages(["short", long, "other"])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(found[1], embedder.embed_query("zebra"), atol=1e-6)
    np.testing.assert_array_equal(found[0], embedder.embed_passages(["short"])[0])
    asked = len(backend.batches)
    embedder.embed_passages([long, "short"])
    assert len(backend.batches) == asked
    assert embedder.embed_passages([]).shape == (0, 32)
