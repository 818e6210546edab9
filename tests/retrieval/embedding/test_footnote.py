"""The embedding backend at other Footnote servers, which run here and fail in every way."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.standin.faults import Fault, Kind
from api.standin.server import create_standin, running
from retrieval.access import Scope
from retrieval.database import Database
from retrieval.embedding import scheduler
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.footnote import FootnoteBackend
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.identity import Prefixes
from retrieval.embedding.lanes import Lane
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.servers import ServerSettings
from retrieval.embedding.torch import TorchBackend
from retrieval.errors import (
    EmbeddingFailed,
    InvalidRequest,
    ModelServerRefused,
    ModelServerUnavailable,
    ModelUnavailable,
    TextTooLong,
)
from retrieval.keys import Allowance, ApiKeys
from retrieval.ollama.connection import Timeouts
from retrieval.ollama.retry import Retry
from retrieval.ports import EmbeddingBackend
from retrieval.types import Vector, Vectors
from tests.retrieval.embedding.servers import EmbeddingServer, serving

SOON = 30.0  # seconds that nothing here takes
AT_ONCE = Retry(first=0.02, most=0.05)
LONG = Retry(first=1e6, most=1e6)
TEXTS = [f"Text number {number} {'词' * (number % 9)} is one of many." for number in range(60)]

Start = Callable[..., EmbeddingServer]
Open = Callable[..., FootnoteBackend]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers, each with a data directory of its own."""
    with ExitStack() as stack:
        made: list[EmbeddingServer] = []

        def started(backend: EmbeddingBackend | None = None, **settings: Any) -> EmbeddingServer:
            data = tmp_path / f"server-{len(made)}"
            found = serving(data, backend or HashingBackend(), **settings)
            made.append(stack.enter_context(found))
            return made[-1]

        yield started


@pytest.fixture
def open_backend() -> Iterator[Open]:
    with ExitStack() as stack:

        def opened(
            *servers: EmbeddingServer | str, model: str = "hashing", **settings: Any
        ) -> FootnoteBackend:
            urls = tuple(one if isinstance(one, str) else one.url for one in servers)
            told = ServerSettings(urls, **{"rest": AT_ONCE, "patience": 0.0, **settings})
            backend = FootnoteBackend(model, told)
            stack.callback(backend.close)
            return backend

        yield opened


def embedded(backend: EmbeddingBackend, texts: Sequence[str] = TEXTS) -> Vectors:
    return backend.encode(backend.tokenize(texts))


def assert_right(vectors: Vectors, texts: Sequence[str] = TEXTS) -> None:
    assert np.array_equal(vectors, HashingBackend().vectors(texts))


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_is_the_model_of_the_server_to_the_last_bit(start: Start, open_backend: Open) -> None:
    backend = open_backend(start())
    here = HashingBackend()
    assert backend.identity == here.identity
    assert_right(embedded(backend))
    assert backend.count_tokens(TEXTS) == here.count_tokens(TEXTS)


def test_of_the_default_model_no_weights_are_wanted(
    start: Start, open_backend: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = TorchBackend(SentenceModel())
    expected = embedded(here)
    server = start(here)
    monkeypatch.setattr(SentenceModel, "load", None)
    backend = open_backend(server, model="all-minilm")
    assert backend.identity == here.identity
    assert backend.count_tokens(TEXTS) == here.count_tokens(TEXTS)
    assert np.array_equal(embedded(backend), expected)
    assert server.texts == len(TEXTS)
    elsewhere, itself = (Embedder(one) for one in (backend, here))
    assert elsewhere.legible("显微镜的") == itself.legible("显微镜的") == 0.25
    for embedder in (elsewhere, itself):
        embedder.close()


def test_prefixes_are_added_once(start: Start, open_backend: Open) -> None:
    def prefixed() -> HashingBackend:
        backend = HashingBackend()
        backend.identity = replace(backend.identity, prefixes=Prefixes("query: ", "passage: "))
        return backend

    there = Embedder(open_backend(start(prefixed())))
    here = Embedder(prefixed())
    assert np.array_equal(there.embed_query("tea"), here.embed_query("tea"))
    assert np.array_equal(there.embed_documents(TEXTS), here.embed_documents(TEXTS))
    there.close()
    here.close()


def test_questions_are_said_to_be_urgent(start: Start, open_backend: Open) -> None:
    server = start()
    embedder = Embedder(open_backend(server))
    embedder.embed_documents(TEXTS)
    embedder.embed_questions(TEXTS)
    assert server.urgent == 0
    embedder.embed_query("When is tea?")
    embedder.embed_passages(["Tea is at four."])
    assert server.urgent == 2
    embedder.close()


def test_a_text_that_is_too_long_is_refused_there_too(start: Start, open_backend: Open) -> None:
    backend = open_backend(start())
    embedder = Embedder(backend)
    with pytest.raises(TextTooLong, match="256 tokens"):
        embedder.embed_documents(["short", "word " * 300])
    with pytest.raises(TextTooLong, match="finds a text too long"):
        embedded(backend, ["word " * 300])
    assert embedder.read(["word " * 300], 256, cut=True)[0].count <= 256
    embedder.close()


def test_a_request_has_no_more_than_a_server_takes(start: Start, open_backend: Open) -> None:
    server = start(max_request_bytes=8_000)
    backend = open_backend(server)
    escaped = chr(1)  # six bytes of a request
    texts = [f"{number} {escaped * (number % 50)}" for number in range(200)]
    assert_right(embedded(backend, texts), texts)
    assert len(server.requests) > 1
    assert server.texts == len(texts)


def test_servers_have_to_have_one_model(start: Start, open_backend: Open) -> None:
    one, same, other = start(), start(), start(HashingBackend(window=128))
    open_backend(one, same)
    with pytest.raises(ModelUnavailable, match=f"but {other.url} has .* window 128 and 256"):
        open_backend(one, same, other)
    with pytest.raises(ModelUnavailable, match=f"{one.url} embeds with 'hashing'.*'all-MiniLM"):
        open_backend(one, model="sentence-transformers/all-MiniLM-L6-v2")


def test_what_is_no_footnote_server_is_said_to_be_none(open_backend: Open) -> None:
    with (
        running(create_standin()) as url,
        pytest.raises(ModelUnavailable, match=f"{url} isn't a Footnote server"),
    ):
        open_backend(url)
    with pytest.raises(InvalidRequest, match=r"EMBEDDING_URL is 'http://no address'.*gpu1:7373"):
        open_backend("http://no address")
    with pytest.raises(InvalidRequest, match="FOOTNOTE_EMBEDDING_API_KEY") as refused:
        open_backend("http://somebody:hunter2@127.0.0.1:1")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(ModelServerUnavailable, match="FOOTNOTE_EMBEDDING_URL says"):
        open_backend("http://127.0.0.1:1")


def test_a_key_is_shown_and_one_that_does_not_open_is_told(
    start: Start, open_backend: Open
) -> None:
    server = start()
    server.stop()
    database = Database.at(server.data / "catalogue.sqlite")
    _, token = ApiKeys(database).create("reader", Allowance(frozenset({Scope.READ})))
    database.close()
    server.start()
    assert_right(embedded(open_backend(server, api_key=token)))
    for wrong in ("", "fn_wrong"):
        with pytest.raises(ModelUnavailable, match=f"{server.url} says: .*key") as refused:
            open_backend(server, api_key=wrong)
        assert "fn_wrong" not in str(refused.value)


def test_the_least_busy_is_asked(start: Start, open_backend: Open) -> None:
    slow, fast = start(), start()
    backend = open_backend(slow, fast)
    slow.gate.clear()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(embedded, backend)
        until(lambda: bool(slow.requests))
        for text in TEXTS:
            embedded(backend, [text])
        assert (len(slow.requests), len(fast.requests)) == (1, len(TEXTS))
        slow.gate.set()
        assert_right(waiting.result(SOON))


def test_equal_servers_share_the_work(start: Start, open_backend: Open) -> None:
    one, other = start(), start()
    backend = open_backend(one, other)
    for text in TEXTS:
        embedded(backend, [text])
    assert one.texts == other.texts == len(TEXTS) // 2


PASSING: dict[str, Fault] = {
    "busy": Fault(Kind.REFUSED, times=1),
    "broken off": Fault(Kind.CUT, times=1),
    "no model there": Fault(Kind.REFUSED, status=404, text="model not found", times=1),
    "failing alone": Fault(Kind.REFUSED, status=500, text="CUDA error", times=1),
    "unauthorised": Fault(Kind.REFUSED, status=401, text="unauthorized", times=1),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_who_fails_is_left_alone_until_it_is_back(
    start: Start, open_backend: Open, fault: Fault
) -> None:
    failing, other = start(), start()
    backend = open_backend(failing, other, rest=LONG)
    failing.plan.append(fault)
    for at in range(0, len(TEXTS), 10):
        assert_right(embedded(backend, TEXTS[at : at + 10]), TEXTS[at : at + 10])
    assert not any(fault.times for fault in failing.plan)  # it did happen
    assert (failing.texts if fault.kind is Kind.REFUSED else 0, other.texts) == (0, len(TEXTS))
    again = open_backend(failing, other, rest=AT_ONCE)
    failing.plan.append(fault)

    def asked() -> bool:
        embedded(again, TEXTS[:1])
        return bool(failing.requests)

    failing.requests.clear()
    until(asked)


def test_a_server_is_left_alone_for_as_long_as_it_says(
    start: Start, open_backend: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start()
    backend = open_backend(server)
    monkeypatch.setitem(scheduler._MOST, Lane.CALL, 0)
    with pytest.raises(ModelServerUnavailable, match="server busy"):
        embedded(backend)
    monkeypatch.undo()
    began = time.monotonic()
    with pytest.raises(ModelServerUnavailable):  # though it would have room again
        embedded(backend)

    def back() -> bool:
        try:
            return bool(len(embedded(backend)))
        except ModelServerUnavailable:
            return False

    until(back)
    assert time.monotonic() - began > 0.9  # it asked for a second


def test_a_server_that_stops_is_done_without_and_used_when_it_is_back(
    start: Start, open_backend: Open
) -> None:
    mortal, other = start(), start()
    backend = open_backend(mortal, other)
    mortal.stop()
    for _ in range(3):
        assert_right(embedded(backend))
    assert len(other.requests) == 3
    mortal.start()

    def asked() -> bool:
        embedded(backend, TEXTS[:1])
        return bool(mortal.requests)

    until(asked)


def test_when_all_are_away_a_call_waits_a_little(start: Start, open_backend: Open) -> None:
    server = start()
    backend = open_backend(server, patience=SOON)
    impatient = open_backend(server)
    server.stop()
    with pytest.raises(ModelServerUnavailable, match=server.url):
        embedded(impatient)
    waiting = threading.Thread(target=server.start)
    waiting.start()
    assert_right(embedded(backend))
    waiting.join()


def test_who_is_away_at_first_is_used_later(start: Start, open_backend: Open) -> None:
    late, there = start(), start()
    late.stop()
    backend = open_backend(late, there)
    assert_right(embedded(backend))
    late.start()

    def asked() -> bool:
        embedded(backend, TEXTS[:1])
        return bool(late.requests)

    until(asked)


def test_a_server_that_does_not_answer_is_not_waited_for(start: Start, open_backend: Open) -> None:
    stuck, other = start(), start()
    timeouts = Timeouts(first_byte=2.0, between=0.0, lookup=SOON)
    backend = open_backend(stuck, other, rest=LONG, timeouts=timeouts)
    stuck.gate.clear()
    for _ in range(4):
        assert_right(embedded(backend))
    assert (len(stuck.requests), len(other.requests)) == (1, 4)


def _shorter(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "embeddings": [vector[:-1] for vector in reply["embeddings"]]}


def _fewer(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "embeddings": reply["embeddings"][:-1]}


def _zeros(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "embeddings": [[0.0] * len(vector) for vector in reply["embeddings"]]}


def _words(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "embeddings": [["no number"] * 256 for _ in reply["embeddings"]]}


@pytest.mark.parametrize("spoil", [_shorter, _fewer, _zeros, _words])
def test_vectors_that_cannot_be_right_are_asked_of_another(
    start: Start, open_backend: Open, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    lying, other = start(), start()
    lying.spoil = spoil
    backend = open_backend(lying, other, rest=LONG)
    for _ in range(3):
        assert_right(embedded(backend))
    assert (len(lying.requests), len(other.requests)) == (1, 3)
    with pytest.raises(ModelServerUnavailable, match=lying.url):
        embedded(open_backend(lying))


def test_a_server_that_has_another_model_by_now_gives_no_vector(
    start: Start, open_backend: Open
) -> None:
    changed, other = start(), start()
    both, alone = open_backend(changed, other), open_backend(changed)
    changed.stop()
    changed.backend = HashingBackend(window=128)
    changed.start()
    changed.requests.clear()
    for _ in range(3):
        assert_right(embedded(both))
    with pytest.raises(ModelUnavailable, match=f"{changed.url} embed with another model by now"):
        embedded(alone)
    with pytest.raises(ModelUnavailable):  # and so it stays
        embedded(alone)


class Poisoned(HashingBackend):
    def vectors(self, texts: Sequence[str]) -> Vectors:
        if any("poison" in text for text in texts):
            raise ValueError("poison")
        return super().vectors(texts)


def test_a_text_that_no_server_can_embed_fails_alone(start: Start, open_backend: Open) -> None:
    servers = start(Poisoned()), start(Poisoned())
    backend = open_backend(*servers, rest=LONG)
    with pytest.raises(ModelServerRefused, match="failed on 'poison"):
        embedded(backend, [*TEXTS, "poison"])
    embedder = Embedder(backend)
    arrived: dict[str, Vector] = {}
    texts = dict(zip("abc", embedder.tokenize(["tea", "poison", "cake"]), strict=True))
    with pytest.raises((ModelServerRefused, EmbeddingFailed)):
        for part in embedder.stream_documents(texts):
            arrived |= part
    assert arrived.keys() == {"a", "c"}
    assert_right(embedder.embed_documents(TEXTS))  # nobody is left alone for it
    embedder.close()


def test_it_can_be_closed_while_servers_are_away(start: Start) -> None:
    server = start()
    backend = FootnoteBackend("hashing", ServerSettings((server.url,), rest=LONG, patience=0.0))
    server.stop()
    with pytest.raises(ModelServerUnavailable):
        embedded(backend)
    backend.close()
