"""Whether the process lives, and whether it can work."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from api.errors import problem
from api.readiness import ReadinessWatch
from api.routes.dependencies import BlockingOf, ServiceOf
from retrieval import access

router = APIRouter(tags=["health"])

_RETRY_AFTER = 5  # seconds


def _watch(request: Request) -> ReadinessWatch:
    watch: ReadinessWatch = request.app.state.readiness
    return watch


WatchOf = Annotated[ReadinessWatch, Depends(_watch)]


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def health() -> dict[str, str]:
    """The process answers. Touches nothing else."""
    return {"status": "ok"}


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses={503: {"description": "Something doesn't work: what, and why"}})
async def ready(service: ServiceOf, blocking: BlockingOf, watch: WatchOf) -> JSONResponse:
    """The model is loaded, the catalogue and the stores can be read; what of that isn't so, and
    which knowledge bases need another model of the same name: of those that the caller's key is
    for, so of none without one.
    """
    found = await watch.now()
    everything = (access.asking() or access.ANYBODY).sees_all
    checks = [asdict(check) for check in found.checks] if everything else []
    if found.wrong:
        told = "; ".join(f"{check.name}: {check.detail}" for check in found.wrong)
        retry = {"Retry-After": str(_RETRY_AFTER)}
        told = told if everything else "Something doesn't work; a key for everything is told what."
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "NotReady", told, retry, checks=checks)
    if access.asking() == access.NOBODY:
        return JSONResponse({"status": "ready"})
    kbs = await blocking.call(service.engine.knowledge_bases.all)
    refused = [kb.name for kb in kbs if service.engine.embedders.refuses(kb)]
    return JSONResponse(
        {
            "status": "ready",
            "knowledge_bases": len(kbs),
            "built_with_another_model": refused,
            "checks": checks,
        }
    )
