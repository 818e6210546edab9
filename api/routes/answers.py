"""Stored answers: what decided them, and what their questions are answered now."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, status

from api.replies import Problem
from api.routes.dependencies import BlockingOf, ServiceOf
from api.stored_answers import AnswersReply, AnswerSummaryReply, ReplayReply, StoredAnswerReply

router = APIRouter(tags=["stored answers"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such knowledge base or stored answer"},
}
_MODELS: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "It was built with another embedding model"},
    429: {"model": Problem, "description": "Too much waits to be embedded; see Retry-After"},
    502: {"model": Problem, "description": "The Ollama server didn't do what it was asked to"},
}


@router.get("/kb/{kb}/answers", responses=_PROBLEMS)
async def list_answers(
    kb: str,
    service: ServiceOf,
    blocking: BlockingOf,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> AnswersReply:
    """What was asked and answered, the newest first, a page at a time."""

    def listed() -> AnswersReply:
        engine = service.engine
        found = engine.knowledge_bases.get(kb)
        return AnswersReply(
            total=engine.answers.count(found),
            answers=[
                AnswerSummaryReply.of(one) for one in engine.answers.list(found, limit, offset)
            ],
        )

    return await blocking.call(listed)


@router.get("/kb/{kb}/answers/{answer_id}", responses=_PROBLEMS)
async def get_answer(
    kb: str, answer_id: str, service: ServiceOf, blocking: BlockingOf
) -> StoredAnswerReply:
    """An answer with all that decided it."""

    def got() -> StoredAnswerReply:
        engine = service.engine
        return StoredAnswerReply.of(engine.answers.get(engine.knowledge_bases.get(kb), answer_id))

    return await blocking.call(got)


@router.delete(
    "/kb/{kb}/answers/{answer_id}", responses=_PROBLEMS, status_code=status.HTTP_204_NO_CONTENT
)
async def delete_answer(kb: str, answer_id: str, service: ServiceOf, blocking: BlockingOf) -> None:
    """Forget it."""

    def delete() -> None:
        engine = service.engine
        engine.answers.remove(engine.knowledge_bases.get(kb), answer_id)

    await blocking.call(delete)


@router.post("/kb/{kb}/answers/{answer_id}/replay", responses={**_PROBLEMS, **_MODELS})
async def replay_answer(
    kb: str, answer_id: str, service: ServiceOf, blocking: BlockingOf
) -> ReplayReply:
    """Ask its question again, and tell what differs. Nothing is stored."""
    engine = service.engine
    opened = await blocking.call(engine.open, kb)
    stored = await blocking.call(engine.answers.get, opened, answer_id)
    return ReplayReply.of(await engine.replayer.replay(opened, stored, blocking.call))
