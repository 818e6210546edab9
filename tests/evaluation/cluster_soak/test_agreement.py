from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.standin.server import running
from evaluation.cluster_soak.agreement import check_agreement
from evaluation.serving_soak.faults import Faults
from evaluation.serving_soak.insisting import Held
from evaluation.serving_soak.writing import Writer

HIT = {"document_id": "d", "version": "v", "start": 0, "end": 9, "score": 0.75, "title": "t"}
WRITER = Writer(0, 0)
HELD = [Held(f"d{at}", WRITER.new()) for at in range(5)]


def answering(hits: list[dict[str, Any]], status: int = 200) -> Starlette:
    async def search(_request: Request) -> Response:
        return JSONResponse({"hits": hits, "timings": {"total": id(hits)}}, status)

    return Starlette(routes=[Route("/kb/kb/search", search, methods=["POST"])])


@pytest.mark.parametrize(
    ("other", "status", "same"),
    [
        ([HIT], 200, True),
        ([{**HIT, "title": "another"}], 200, True),
        ([{**HIT, "score": 0.7500000000000001}], 200, False),
        ([{**HIT, "version": "w"}], 200, False),
        ([], 200, False),
        ([HIT], 503, False),
    ],
)
def test_hits_and_scores_are_compared(other: list[dict[str, Any]], status: int, same: bool) -> None:
    with running(answering([HIT])) as first, running(answering(other, status)) as second:
        assert disagreements([first, second]) == (0 if same else 3)


@pytest.mark.parametrize(("hits", "status"), [([], 200), ([HIT], 503)])
def test_who_finds_nothing_agrees_with_nobody(hits: list[dict[str, Any]], status: int) -> None:
    with running(answering(hits, status)) as one:
        assert disagreements([one, one]) == 3


def disagreements(urls: list[str]) -> int:
    """Over three questions."""
    faults = Faults()
    assert anyio.run(check_agreement, urls, "kb", HELD, 3, 0, faults) == 3
    assert faults.counts.keys() <= {"disagreement"}
    return faults.counts["disagreement"]
