"""Jobs: how far a document is on its way in."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api import sse
from api.errors import described
from api.listeners import Listeners, ListenersOf
from api.replies import JobReply, Problem, QueueReply
from api.routes.dependencies import Blocking, BlockingOf, ServiceOf
from api.service import Service
from api.sse import HEARTBEAT, event, streamed
from ingest.job_moves import JobMoves
from ingest.types import Stage
from retrieval.errors import NotFound, RetrievalError
from retrieval.types import KnowledgeBase

router = APIRouter(tags=["jobs"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such job"}
}
_FOLLOWED: dict[int | str, dict[str, Any]] = {
    200: {"content": sse.described("job", "queue", "counts", "gone", "error")},
    429: {"model": Problem, "description": "As many follow as may; see Retry-After"},
}
_LOOK_AT_QUEUE = 0.25  # seconds
_FINAL = frozenset(stage for stage in Stage if stage.final)
_HEARTBEAT = 15.0  # seconds; proxies close what is silent for longer


@router.get("/jobs", responses=_PROBLEMS)
async def list_jobs(
    service: ServiceOf,
    blocking: BlockingOf,
    kb: Annotated[str | None, Query(description="Only those of a knowledge base")] = None,
    state: Annotated[Stage | None, Query(description="Only those in this state")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> QueueReply:
    """The queue: how many jobs are in each state, and which they are."""

    def listed() -> QueueReply:
        kb_id = None if kb is None else service.engine.knowledge_bases.get(kb).id
        jobs = service.jobs.newest(limit, offset, kb_id, state)
        return QueueReply.of(service.jobs.counts(kb_id), jobs)

    return await blocking.call(listed)


@router.get(
    "/jobs/events",
    response_class=StreamingResponse,
    responses={**_PROBLEMS, **_FOLLOWED},
)
async def follow_queue(
    kb: Annotated[str, Query(description="The knowledge base whose queue it is")],
    service: ServiceOf,
    blocking: BlockingOf,
    listeners: ListenersOf,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> StreamingResponse:
    """The queue as server-sent events, until the server stops: `queue`, as `/jobs` tells it, then
    a `job` whenever one has come or moved, and `counts`; `gone` when the knowledge base is.
    """
    knowledge_base = await blocking.call(service.engine.knowledge_bases.get, kb)
    return streamed(_followed(knowledge_base, limit, service, blocking, listeners))


@router.get("/jobs/{job_id}", responses=_PROBLEMS)
async def get_job(job_id: str, service: ServiceOf, blocking: BlockingOf) -> JobReply:
    """Where a job stands."""
    return JobReply.of(await blocking.call(service.jobs.get, job_id))


@router.get(
    "/jobs/{job_id}/events",
    response_class=StreamingResponse,
    responses={**_PROBLEMS, **_FOLLOWED},
)
async def follow_job(
    job_id: str, service: ServiceOf, blocking: BlockingOf, listeners: ListenersOf
) -> StreamingResponse:
    """Server-sent events `job`, one whenever it has moved, the last when it is final, or the
    server stops.
    """
    first = JobReply.of(await blocking.call(service.jobs.get, job_id))
    return streamed(_moves(first, service, blocking, listeners))


@router.delete("/jobs/{job_id}", responses=_PROBLEMS)
async def cancel_job(job_id: str, service: ServiceOf, blocking: BlockingOf) -> JobReply:
    """Take a job back. One that is final stays as it is; one at work stops at its next step."""
    return JobReply.of(await blocking.call(service.jobs.cancel, job_id))


async def _moves(
    job: JobReply, service: Service, blocking: Blocking, listeners: Listeners
) -> AsyncIterator[str]:
    yield event("job", job.model_dump(mode="json"))
    spoken = anyio.current_time()
    while job.state not in _FINAL and await listeners.go_on(service.jobs.pace(job.id)):
        try:
            now = JobReply.of(await blocking.call(service.jobs.get, job.id))
        except NotFound:  # it went with its knowledge base
            now = job.model_copy(update={"state": "cancelled"})
        except RetrievalError as error:
            yield event("error", described(error))
            return
        if now != job:
            yield event("job", now.model_dump(mode="json"))
            spoken = anyio.current_time()
        elif anyio.current_time() - spoken >= _HEARTBEAT:
            yield HEARTBEAT
            spoken = anyio.current_time()
        job = now


async def _followed(
    kb: KnowledgeBase, limit: int, service: Service, blocking: Blocking, listeners: Listeners
) -> AsyncIterator[str]:
    moves = JobMoves(service.jobs, kb)

    def look() -> QueueReply | None:
        if service.engine.knowledge_bases.by_id(kb.id) is None:
            return None
        return QueueReply.of(moves.counts(), moves.next())

    try:
        first = await blocking.call(lambda: QueueReply.of(moves.counts(), moves.first(limit)))
        yield event("queue", first.model_dump(mode="json"))
        counts, spoken = first.counts, anyio.current_time()
        while await listeners.go_on(_LOOK_AT_QUEUE):
            if (now := await blocking.call(look)) is None:
                yield event("gone", {"knowledge_base": kb.name})
                return
            for job in now.jobs:
                yield event("job", job.model_dump(mode="json"))
            if now.counts != counts:
                yield event("counts", now.counts)
                counts = now.counts
            if anyio.current_time() - spoken >= _HEARTBEAT:
                yield HEARTBEAT
                spoken = anyio.current_time()
    except RetrievalError as error:
        yield event("error", described(error))
