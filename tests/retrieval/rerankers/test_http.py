import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from traceback import format_exception
from typing import Any

import pytest

from retrieval.errors import InvalidRequest, ModelServerError, ModelServerUnavailable
from retrieval.rerankers.http import HttpReranker


class Server(ThreadingHTTPServer):
    """Answers `/rerank` with what it is told, or scores texts by their length."""

    answer: tuple[int, bytes] | None = None
    asked: dict[str, Any]
    path: str
    authorization: str | None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/rerank"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.path = self.path
        self.server.authorization = self.headers["Authorization"]
        lengths = enumerate(map(len, self.server.asked["texts"]))
        scored = [{"index": at, "score": length / 10} for at, length in lengths]
        best_first = json.dumps(sorted(scored, key=lambda one: -one["score"])).encode()
        status, body = self.server.answer or (200, best_first)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def reranker(server: Server) -> Iterator[HttpReranker]:
    made = HttpReranker(server.url)
    yield made
    made.close()


def test_scores_come_in_the_order_of_the_texts(server: Server, reranker: HttpReranker) -> None:
    assert reranker.scores("运费?", ["a", "long", "is"]) == [0.1, 0.4, 0.2]
    assert server.asked == {"query": "运费?", "texts": ["a", "long", "is"], "truncate": False}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((413, b"batch size > 32"), "answered 413: batch size > 32"),
        ((200, b"[1, 2]"), "something else than scores"),
        ((200, b"no json"), "something else than scores"),
        ((200, b'[{"index": 1, "score": 2}]'), "scored 1 of 2 texts"),
    ],
)
def test_what_is_no_answer_is_an_error(
    server: Server, reranker: HttpReranker, answer: tuple[int, bytes], message: str
) -> None:
    server.answer = answer
    with pytest.raises(ModelServerError, match=message):
        reranker.scores("q", ["a", "b"])


def test_credentials_are_sent_and_not_told(server: Server) -> None:
    reranker = HttpReranker(f"{server.url.replace('//', '//somebody:hunter2@')}?key=hunter3")
    assert reranker.scores("q", ["a"]) == [0.1]
    assert server.authorization == f"Basic {b64encode(b'somebody:hunter2').decode()}"
    assert server.path == "/rerank?key=hunter3"
    assert reranker.name == server.url
    server.answer = 403, b"no"
    with pytest.raises(ModelServerError) as refused:
        reranker.scores("q", ["a"])
    assert "hunter" not in "".join(format_exception(refused.value))
    reranker.close()


def test_what_is_no_url_is_not_told() -> None:
    with pytest.raises(InvalidRequest, match="FOOTNOTE_RERANKER") as refused:
        HttpReranker("http://somebody:hunter2@h:hunter3")
    assert "hunter" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_server_that_is_off_is_unavailable() -> None:
    reranker = HttpReranker("http://127.0.0.1:9/rerank")
    with pytest.raises(ModelServerUnavailable, match="FOOTNOTE_RERANKER"):
        reranker.scores("q", ["a"])
    reranker.close()
