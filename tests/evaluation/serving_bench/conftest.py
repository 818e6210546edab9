"""A server made by hand that answers as a test wants, and figures that are known."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.standin.server import running
from evaluation.latency import Latency
from evaluation.serving_bench.figures import (
    Beside,
    Call,
    Ingestion,
    Memory,
    ServingBench,
    Step,
    Throughput,
)
from evaluation.significance import Median
from tests.evaluation.embedding_bench.conftest import HOSTILE

INFO = {
    "version": "0.1.0",
    "embedder": {"model": "hashing", "dtype": "float32"},
    "answerer": "extractive",
}


@dataclass
class Fake:
    """Counts what it is sent. `refuses` are statuses of calls by the last part of their path, and
    `every` says of how many of them one is refused.
    """

    info: Any = field(default_factory=lambda: INFO)
    refuses: dict[str, int] = field(default_factory=dict)
    every: int = 1
    job: dict[str, Any] = field(default_factory=lambda: {"state": "done", "error": None})
    sent: dict[str, list[Any]] = field(default_factory=dict)
    called: Counter[str] = field(default_factory=Counter)

    async def call(self, request: Request) -> Response:
        name = request.url.path.rsplit("/", 1)[-1]
        self.called[name] += 1
        if name in self.refuses and self.called[name] % self.every == 0:
            return Response(f"no {name}\n today", self.refuses[name])
        if request.method == "GET":
            return JSONResponse(
                self.info if name == "info" else {"documents": 3, "chunks": 4, "name": name}
            )
        body = await request.json()
        if name == "documents":
            self.sent.setdefault(name, []).extend(body["documents"])
            return JSONResponse({"jobs": [self.job for _ in body["documents"]]})
        self.sent.setdefault(name, []).append(body)
        return JSONResponse({"hits": []})

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.call, methods=["GET", "POST", "PUT"])])


Open = Callable[[Fake], str]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Runs servers; gives their addresses."""
    with ExitStack() as stack:
        yield lambda fake: stack.enter_context(running(fake.app))


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes calls and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def step(call: Call, beside: Beside, rate: float, p95: float | None) -> Step:
    loaded = beside is Beside.INGESTION
    return Step(
        call=call,
        beside=beside,
        latency=Latency(rate, rate / 100, 50, 2 if p95 is None else 0, 5.0, p95, None),
        errors={"429": 1, "timeout": 1} if p95 is None else {},
        ingested=12.5 if loaded else None,
        client=0.25 if loaded else 0.05,
    )


@pytest.fixture
def bench() -> ServingBench:
    """Two calls at two rates, with and without ingestion, by a server with a hostile name."""
    alone, loaded = Beside.NOTHING, Beside.INGESTION
    throughputs = tuple(
        Throughput(call, beside, Median(rate, 0.9 * rate, 1.1 * rate), {}, fed, 0.3)
        for beside, rate, fed in ((alone, 100.0, None), (loaded, 40.0, 9.5))
        for call in Call
    )
    steps = tuple(
        step(call, beside, rate, p95)
        for beside, found in ((alone, (10.0, 20.0)), (loaded, (30.0, None)))
        for call in Call
        for rate, p95 in zip((10.0, 90.0), found, strict=True)
    )
    return ServingBench(
        machine=f"CPU {HOSTILE}",
        made=date(2026, 11, 21),
        command=f"footnote {HOSTILE}",
        server=f"Footnote 0.1.0, {HOSTILE}",
        documents=500,
        chunks=700,
        texts="scifact",
        clients=8,
        rounds=2,
        seconds=5.0,
        seed=0,
        same_questions=False,
        notes=("A note.",),
        throughputs=throughputs,
        steps=steps,
        ingestions=(
            Ingestion(False, 500, 0, Median(20.0, 20.0, 20.0)),
            Ingestion(True, 90, 3, Median(10.0, 9.0, 11.0)),
        ),
        memory=Memory(300.0, 400.0, 500.0),
    )
