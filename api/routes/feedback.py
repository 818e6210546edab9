"""Feedback: whether a document, or a passage of it, helped with a question."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, status

from api.replies import FeedbackListReply, FeedbackReply, Problem
from api.requests import FeedbackRequest
from api.routes.dependencies import BlockingOf, ServiceOf

router = APIRouter(tags=["feedback"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such knowledge base, document or feedback"},
    422: {"model": Problem, "description": "Something in the request doesn't fit"},
}


@router.post("/kb/{kb}/feedback", responses=_PROBLEMS, status_code=status.HTTP_201_CREATED)
async def add_feedback(
    kb: str, body: FeedbackRequest, service: ServiceOf, blocking: BlockingOf
) -> FeedbackReply:
    """Say whether a document answers a question; evaluations measure by it."""

    def added() -> FeedbackReply:
        engine = service.engine
        found = engine.knowledge_bases.get(kb)
        opinion = body.opinion(engine.documents.named(found, body.document))
        return FeedbackReply.of(engine.feedback.add(found, opinion))

    return await blocking.call(added)


@router.get("/kb/{kb}/feedback", responses=_PROBLEMS)
async def list_feedback(
    kb: str,
    service: ServiceOf,
    blocking: BlockingOf,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> FeedbackListReply:
    """What was said, the newest first, a page at a time."""

    def listed() -> FeedbackListReply:
        engine = service.engine
        found = engine.knowledge_bases.get(kb)
        return FeedbackListReply(
            total=engine.feedback.count(found),
            feedback=[FeedbackReply.of(one) for one in engine.feedback.list(found, limit, offset)],
        )

    return await blocking.call(listed)


@router.delete(
    "/kb/{kb}/feedback/{feedback_id}", responses=_PROBLEMS, status_code=status.HTTP_204_NO_CONTENT
)
async def delete_feedback(
    kb: str, feedback_id: str, service: ServiceOf, blocking: BlockingOf
) -> None:
    """Forget it."""

    def delete() -> None:
        engine = service.engine
        engine.feedback.remove(engine.knowledge_bases.get(kb), feedback_id)

    await blocking.call(delete)
