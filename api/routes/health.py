"""Whether the process lives, whether it can work, and what it is."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.requests import MAX_DOCUMENTS
from api.routes.dependencies import BlockingOf, ServiceOf
from api.version import VERSION
from retrieval import access
from retrieval.abstention import THRESHOLD
from retrieval.responding import EXTRACTIVE
from retrieval.search import MAX_K, MAX_QUERY

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> dict[str, str]:
    """The process answers. Touches nothing else."""
    return {"status": "ok"}


@router.get("/ready", responses={503: {"description": "The stores can't be read"}})
async def ready(service: ServiceOf, blocking: BlockingOf) -> JSONResponse:
    """The catalogue can be read, and which knowledge bases need another model of the same name:
    of those that the caller's key is for, so of none without one.
    """
    kbs = await blocking.call(service.engine.knowledge_bases.all)
    if access.asking() == access.NOBODY:
        return JSONResponse({"status": "ready"})
    refused = [kb.name for kb in kbs if service.engine.embedders.refuses(kb)]
    return JSONResponse(
        {"status": "ready", "knowledge_bases": len(kbs), "built_with_another_model": refused}
    )


@router.get("/info")
async def info(service: ServiceOf, blocking: BlockingOf) -> dict[str, Any]:
    """Version, models and limits."""
    identity = service.engine.embedder.identity
    settings = service.settings
    return {
        "version": VERSION,
        "embedder": {
            "model": identity.name,
            "dimension": identity.dimension,
            "window": identity.window,
            "dtype": identity.dtype,
            "fingerprint": identity.fingerprint,
        },
        "answerer": settings.chat_model or EXTRACTIVE,
        "ollama": bool(settings.ollama_host),
        "answers_stored": settings.store_answers,
        "min_confidence": THRESHOLD,
        "fetch_urls": settings.fetch_urls,
        "limits": {
            "upload_bytes": settings.max_upload_bytes,
            "pages": settings.max_pages,
            "characters": settings.max_characters,
            "documents_per_request": MAX_DOCUMENTS,
            "k": MAX_K,
            "query_characters": MAX_QUERY,
        },
        "jobs_unfinished": await blocking.call(service.jobs.unfinished),
    }
