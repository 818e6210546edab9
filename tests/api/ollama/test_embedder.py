"""Many calls at once share batches; what doesn't fit is refused, and nothing is left behind."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from api.ollama import embedder as module
from api.ollama.embedder import EmbedderModel
from api.routes.dependencies import Blocking
from api.wire.names import parse
from api.wire.refusals import Refusal
from retrieval.embedding import scheduler
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.lanes import Lane
from retrieval.types import Vectors


class Counting(HashingBackend):
    """Keeps the sizes of its batches, and waits at a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def vectors(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(len(texts))
        assert self.gate.wait(30)
        if any("poison" in text for text in texts):
            raise ValueError("poison")
        return super().vectors(texts)


@pytest.fixture
def backend() -> Counting:
    return Counting()


def embed(backend: Counting, *calls: Sequence[str]) -> list[Vectors | BaseException]:
    async def together() -> list[Vectors | BaseException]:
        embedder = Embedder(backend)
        model = EmbedderModel(embedder, Blocking(), datetime.now(UTC))
        try:
            work = [model.embed(texts, 256, True) for texts in calls]
            found = await asyncio.gather(*work, return_exceptions=True)
            return [one if isinstance(one, BaseException) else one.vectors for one in found]
        finally:
            await asyncio.to_thread(embedder.close)

    return asyncio.run(together())


def test_calls_share_batches_and_each_gets_its_own(backend: Counting) -> None:
    texts = [f"text number {n}" for n in range(500)]
    backend.gate.clear()

    async def flood() -> list[Vectors]:
        embedder = Embedder(backend)
        model = EmbedderModel(embedder, Blocking(), datetime.now(UTC))
        work = [asyncio.create_task(model.embed([text], 256, True)) for text in texts]
        while embedder.waiting(Lane.CALL) + sum(backend.batches) < len(texts):
            await asyncio.sleep(0.001)
        backend.gate.set()
        found = [(await one).vectors for one in work]
        await asyncio.to_thread(embedder.close)
        return found

    found = asyncio.run(flood())
    assert np.array_equal(np.concatenate(found), HashingBackend().vectors(texts))
    assert len(backend.batches) <= 3


def test_a_poison_text_fails_its_own_call_only(backend: Counting) -> None:
    found = embed(backend, ["a"], ["poison"], ["b"] * 3)
    assert isinstance(found[1], Refusal) and found[1].status == 500
    assert [one.shape for one in (found[0], found[2]) if isinstance(one, np.ndarray)] == [
        (1, 256),
        (3, 256),
    ]


def test_more_texts_than_are_tokenised_at_once(
    backend: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TOGETHER", 16)
    found = embed(backend, *[[f"{c} {n}" for n in range(50)] for c in range(8)])
    assert all(isinstance(one, np.ndarray) and one.shape == (50, 256) for one in found)


def test_too_many_calls_are_told_to_come_again(
    backend: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "_MOST", {**scheduler._MOST, Lane.CALL: 3})
    [refused] = embed(backend, ["a", "b", "c", "d"])
    assert isinstance(refused, Refusal)
    assert (refused.status, refused.text) == (429, module._BUSY)
    assert refused.retry_after >= 1


def test_a_long_text_is_cut_where_its_tokens_end(backend: Counting) -> None:
    async def cut() -> tuple[int, int]:
        embedder = Embedder(backend)
        model = EmbedderModel(embedder, Blocking(), datetime.now(UTC))
        try:
            whole = await model.embed(["word " * 100_000], 256, True)
            short = await model.embed(["word " * 100_000, "a b"], 16, True)
            with pytest.raises(Refusal, match="exceeds the context length"):
                await model.embed(["a", "word " * 300], 256, False)
            return whole.tokens, short.tokens
        finally:
            await asyncio.to_thread(embedder.close)

    assert asyncio.run(cut()) == (256, 20)


def test_a_call_has_a_limit(backend: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TEXTS", 3)
    (found,) = embed(backend, ["a"] * 4)
    assert isinstance(found, Refusal) and found.status == 400 and "3 are the most" in found.text


def test_its_exact_name_is_no_other_models(backend: Counting) -> None:
    embedder = Embedder(backend)
    model = EmbedderModel(embedder, Blocking(), datetime.now(UTC))
    fingerprint = backend.identity.fingerprint
    names = ["hashing", "HASHING:latest", f"hashing:{fingerprint}", f"Hashing:{fingerprint}"]
    others = [f"hashing:{fingerprint[:-1]}x", f"kb/hashing:{fingerprint}", "hashing:1"]
    assert all(model.goes_by(name) for name in map(parse, names) if name)
    assert not any(model.goes_by(name) for name in map(parse, others) if name)
    embedder.close()


def test_what_is_urgent_comes_before_other_calls(backend: Counting) -> None:
    backend.batch_tokens = 8
    order: list[str] = []
    backend.gate.clear()

    async def flood() -> None:
        embedder = Embedder(backend)
        model = EmbedderModel(embedder, Blocking(), datetime.now(UTC))

        async def embed(text: str, *, urgent: bool) -> None:
            await model.embed([text], 256, True, urgent)
            order.append(text)

        calls = [asyncio.create_task(embed(f"call {n}", urgent=False)) for n in range(20)]
        while embedder.waiting(Lane.CALL) + sum(backend.batches) < len(calls):
            await asyncio.sleep(0.001)
        question = asyncio.create_task(embed("question", urgent=True))
        while not embedder.waiting(Lane.QUESTION):
            await asyncio.sleep(0.001)
        backend.gate.set()
        await asyncio.gather(question, *calls)
        await asyncio.to_thread(embedder.close)

    asyncio.run(flood())
    assert order.index("question") < 5


def test_a_call_of_many_texts_is_never_urgent(backend: Counting) -> None:
    async def called() -> dict[Lane, int]:
        embedder = Embedder(backend)
        model = EmbedderModel(embedder, Blocking(), datetime.now(UTC))
        await model.embed([f"text {n}" for n in range(300)], 256, True, True)
        await asyncio.to_thread(embedder.close)
        return {lane: measured.texts for lane, measured in embedder.measured().items()}

    assert asyncio.run(called()) == {Lane.QUESTION: 0, Lane.CALL: 300, Lane.DOCUMENT: 0}
