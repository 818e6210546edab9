"""How well a knowledge base is searched, by feedback on it, given questions or its own text."""

from typing import Any

from fastapi import APIRouter, status
from fastapi.responses import HTMLResponse

from api.replies import EvaluationReply, Problem
from api.requests import EvaluationRequest
from api.routes.dependencies import BlockingOf, ServiceOf

router = APIRouter(tags=["evaluation"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such knowledge base, or no report of it"},
    422: {"model": Problem, "description": "It is under way, or the request doesn't fit"},
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.post("/kb/{kb}/evaluation", responses=_PROBLEMS, status_code=status.HTTP_202_ACCEPTED)
async def evaluate(
    kb: str, body: EvaluationRequest, service: ServiceOf, blocking: BlockingOf
) -> EvaluationReply:
    """Measure each leg, and both as they are fused, over the live index; nothing is changed."""

    def begun() -> EvaluationReply:
        started = service.evaluator.start(kb, body.wanted())
        return EvaluationReply.of(started, service.evaluator.last(kb))

    return await blocking.call(begun)


@router.get("/kb/{kb}/evaluation", responses=_PROBLEMS)
async def evaluation(kb: str, service: ServiceOf, blocking: BlockingOf) -> EvaluationReply:
    """How the evaluation stands, and the figures of the last one that came to its end."""

    def found() -> EvaluationReply:
        return EvaluationReply.of(service.evaluator.status(kb), service.evaluator.last(kb))

    return await blocking.call(found)


@router.get("/kb/{kb}/evaluation/report", response_class=HTMLResponse, responses=_PROBLEMS)
async def report(kb: str, service: ServiceOf, blocking: BlockingOf) -> HTMLResponse:
    """The report on it: plots, comparisons, and what went wrong, as one page."""
    page = await blocking.call(service.evaluator.report, kb)
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})
