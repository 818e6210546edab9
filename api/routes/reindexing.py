"""Another model or another way of cutting for a knowledge base, while it goes on serving."""

from typing import Any

from fastapi import APIRouter, status

from api.replies import KnowledgeBaseReply, Problem, ReindexReply
from api.requests import ReindexRequest
from api.routes.dependencies import BlockingOf, ServiceOf

router = APIRouter(tags=["reindexing"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such knowledge base"},
    422: {"model": Problem, "description": "It is so already, under way, or can't be undone"},
    503: {"model": Problem, "description": "The model can't be loaded"},
}


@router.post("/kb/{kb}/reindex", responses=_PROBLEMS, status_code=status.HTTP_202_ACCEPTED)
async def reindex(
    kb: str, body: ReindexRequest, service: ServiceOf, blocking: BlockingOf
) -> ReindexReply:
    """Build a new generation beside the old one; switch to it unless it is significantly worse."""
    questions = [(one.question, one.uri) for one in body.questions]
    begun = await blocking.call(
        service.reindexer.start, kb, body.model, body.cut(), questions, force=body.force
    )
    return ReindexReply.of(begun)


@router.get("/kb/{kb}/reindex", responses=_PROBLEMS)
async def reindexing(kb: str, service: ServiceOf, blocking: BlockingOf) -> ReindexReply:
    """How the last reindexing stands, whichever process does it."""
    found = await blocking.call(service.engine.knowledge_bases.get, kb)
    return ReindexReply.of(service.reindexer.status(found.name))


@router.post("/kb/{kb}/reindex/rollback", responses=_PROBLEMS)
async def roll_back(kb: str, service: ServiceOf, blocking: BlockingOf) -> KnowledgeBaseReply:
    """Go back to the generation before: at once, but for documents that changed since."""

    def done() -> KnowledgeBaseReply:
        found = service.reindexer.roll_back(kb)
        return KnowledgeBaseReply.of(service.engine, found)

    return await blocking.call(done)


@router.delete("/kb/{kb}/reindex", responses=_PROBLEMS, status_code=status.HTTP_204_NO_CONTENT)
async def discard(kb: str, service: ServiceOf, blocking: BlockingOf) -> None:
    """Forget the generations that aren't live."""
    await blocking.call(service.reindexer.discard, kb)
