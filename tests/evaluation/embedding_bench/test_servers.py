"""Over real connections: the stand-in for Ollama's and OpenAI's protocol, and one of TEI's."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.standin.server import create_standin, running
from evaluation.embedding_bench.servers import Server
from evaluation.embedding_bench.targets import parse_target
from evaluation.embedding_bench.texts import TextSet
from evaluation.errors import TargetFailed

TEXTS = TextSet("texts", tuple(f"text number {n} about tea 🍵" for n in range(10)))
Open = Callable[[str], Server]


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def standin() -> Iterator[str]:
    with running(create_standin()) as url:
        yield url


@pytest.fixture
def opened(portal: BlockingPortal) -> Iterator[Open]:
    servers: list[Server] = []

    def open_one(target: str) -> Server:
        servers.append(Server(parse_target(target, ""), portal, 3, 2, 60.0))
        return servers[-1]

    yield open_one
    for server in servers:
        server.close()


@pytest.mark.parametrize("form", ["ollama+{}/all-minilm", "openai+{}/v1/all-minilm"])
def test_texts_are_embedded_in_order_and_served_one_by_one(
    form: str, standin: str, opened: Open
) -> None:
    server = opened(form.format(standin))
    loaded = server.load()
    assert loaded.seconds is None
    embedded = server.embed(TEXTS, keep=True)
    assert embedded.vectors is not None
    assert embedded.vectors.shape == (10, 384)
    for at, text in enumerate(TEXTS.texts):
        alone = server.embed(TextSet("one", (text,)), keep=True).vectors
        assert alone is not None
        np.testing.assert_allclose(alone[0], embedded.vectors[at], atol=1e-5)
    assert server.embed(TEXTS).vectors is None
    assert server.singles(TEXTS) > 0
    served = server.serve(TEXTS, [0.0, 0.0, 0.01], 60.0)
    assert all(one is not None and one > 0 for one in served)
    assert server.footprint().peak is None


def test_tei_is_asked_for_inputs_that_it_may_cut(opened: Open) -> None:
    asked: list[dict[str, Any]] = []

    async def embed(request: Request) -> Response:
        asked.append(body := await request.json())
        return JSONResponse([[3.0 * len(text), 4.0 * len(text)] for text in body["inputs"]])

    with running(Starlette(routes=[Route("/embed", embed, methods=["POST"])])) as url:
        found = opened(f"tei+{url}").embed(TEXTS, keep=True).vectors
    assert found is not None
    np.testing.assert_allclose(found, [[0.6, 0.8]] * 10, atol=1e-6)  # of unit length
    assert sorted(len(one["inputs"]) for one in asked) == [1, 3, 3, 3]
    assert all(one["truncate"] is True for one in asked)


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (200, b"<html>", "answers with no vectors: <html>"),
        (200, b'{"error": "x"}', "answers with no vectors"),
        (200, b"[]", r"answers 1 texts with \(0,\)"),
        (200, b"[[1, null]]", "with"),
        (200, b"[[1, 2], [1]]", "answers with no vectors"),
        (500, b"it  is\nbroken", "answers with status 500: it is broken"),
    ],
)
def test_a_reply_without_vectors_is_a_failure(
    status: int, content: bytes, said: str, opened: Open
) -> None:
    async def embed(_request: Request) -> Response:
        return Response(content, status)

    with (
        running(Starlette(routes=[Route("/embed", embed, methods=["POST"])])) as url,
        pytest.raises(TargetFailed, match=said),
    ):
        opened(f"tei+{url}").load()


def test_a_server_that_is_not_there_or_has_no_such_model(standin: str, opened: Open) -> None:
    with pytest.raises(TargetFailed, match=r"http://127\.0\.0\.1:1/embed doesn't answer"):
        opened("tei+http://127.0.0.1:1").load()
    absent = opened(f"ollama+{standin}/nope")
    with pytest.raises(TargetFailed, match=r"status 404.*not found"):
        absent.embed(TEXTS)
    assert absent.serve(TEXTS, [0.0, 0.0], 60.0) == [None, None]
