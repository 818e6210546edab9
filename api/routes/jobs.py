"""Jobs: how far a document is on its way in."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.replies import JobReply, Problem, QueueReply
from api.routes.dependencies import Blocking, BlockingOf, ServiceOf
from api.service import Service
from api.sse import EVENT_STREAM, event
from ingest.types import Stage
from retrieval.errors import NotFound

router = APIRouter(tags=["jobs"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such job"}
}
_LOOK = 0.1  # seconds between two looks at a job


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
        return QueueReply(
            counts={stage.value: n for stage, n in service.jobs.counts(kb_id).items()},
            jobs=[JobReply.of(job) for job in service.jobs.newest(limit, offset, kb_id, state)],
        )

    return await blocking.call(listed)


@router.get("/jobs/{job_id}", responses=_PROBLEMS)
async def get_job(job_id: str, service: ServiceOf, blocking: BlockingOf) -> JobReply:
    """Where a job stands."""
    return JobReply.of(await blocking.call(service.jobs.get, job_id))


@router.get(
    "/jobs/{job_id}/events",
    response_class=StreamingResponse,
    responses={**_PROBLEMS, 200: {"content": {EVENT_STREAM: {}}}},
)
async def follow_job(job_id: str, service: ServiceOf, blocking: BlockingOf) -> StreamingResponse:
    """Server-sent events `job`, one whenever it has moved, the last when it is final."""
    first = JobReply.of(await blocking.call(service.jobs.get, job_id))
    return StreamingResponse(_moves(first, service, blocking), media_type=EVENT_STREAM)


@router.delete("/jobs/{job_id}", responses=_PROBLEMS)
async def cancel_job(job_id: str, service: ServiceOf, blocking: BlockingOf) -> JobReply:
    """Take a job back. One that is final stays as it is; one at work stops at its next step."""
    return JobReply.of(await blocking.call(service.jobs.cancel, job_id))


async def _moves(job: JobReply, service: Service, blocking: Blocking) -> AsyncIterator[str]:
    yield event("job", job.model_dump(mode="json"))
    while job.state not in ("done", "failed", "cancelled"):
        await anyio.sleep(_LOOK)
        try:
            now = JobReply.of(await blocking.call(service.jobs.get, job.id))
        except NotFound:  # it went with its knowledge base
            now = job.model_copy(update={"state": "cancelled"})
        if now != job:
            yield event("job", now.model_dump(mode="json"))
        job = now
