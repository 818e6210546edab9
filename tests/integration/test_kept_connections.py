"""No client of ours asks over a connection that its server may just be closing."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from types import ModuleType

import orjson
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.requests import Request
from starlette.responses import Response

from api.ollama import passing
from api.ollama.passing import Upstream
from api.standin.server import running
from evaluation.embedding_bench import servers
from evaluation.embedding_bench.servers import Server
from evaluation.embedding_bench.targets import parse_target
from retrieval.ollama import connection
from retrieval.ollama.connection import Connection
from retrieval.ollama.settings import OllamaSettings
from retrieval.rerankers import http
from retrieval.rerankers.http import HttpReranker
from tests.upstream import answering

Ask = Callable[[], object]
KEPT = 0.5  # seconds


@contextmanager
def _client(url: str, portal: BlockingPortal) -> Iterator[Ask]:
    with portal.wrap_async_context_manager(Connection(url)) as client:
        yield lambda: portal.call(client.ask, "GET", "/api/tags")


@contextmanager
def _upstream(url: str, portal: BlockingPortal) -> Iterator[Ask]:
    upstream = Upstream(OllamaSettings(url))
    yield lambda: portal.call(upstream.listed, "/api/tags", "")
    portal.call(upstream.close)


@contextmanager
def _reranker(url: str, _portal: BlockingPortal) -> Iterator[Ask]:
    with closing(HttpReranker(url + "/rerank")) as reranker:
        yield lambda: reranker.scores("tea", ["tea"])


@contextmanager
def _target(url: str, portal: BlockingPortal) -> Iterator[Ask]:
    with closing(Server(parse_target(f"ollama+{url}/m", "m"), portal, 1, 1, 60.0)) as server:
        yield server.load


@pytest.mark.parametrize(
    ("module", "made"),
    [(connection, _client), (passing, _upstream), (http, _reranker), (servers, _target)],
)
def test_one_that_was_idle_is_not_used_again(
    module: ModuleType,
    made: Callable[[str, BlockingPortal], AbstractContextManager[Ask]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "KEPT", KEPT)
    asked = []

    def answer(request: Request) -> Response:
        asked.append(request.client)
        if request.url.path == "/rerank":
            return Response(orjson.dumps([{"index": 0, "score": 1.0}]))
        return Response(orjson.dumps({"models": [], "embeddings": [[1.0]]}))

    with (
        running(answering(answer)) as url,
        start_blocking_portal() as portal,
        made(url, portal) as ask,
    ):
        ask()
        ask()
        time.sleep(2 * KEPT)  # it is the pace that is tried
        ask()
    assert asked[0] == asked[1]
    assert asked[1] != asked[2]
