"""What the process is."""

from typing import Any

from fastapi import APIRouter

from api.limits import limits
from api.routes.dependencies import BlockingOf, ServiceOf
from api.version import VERSION
from retrieval.abstention import THRESHOLD
from retrieval.responding import EXTRACTIVE

router = APIRouter(tags=["health"])


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
        "limits": limits(settings),
        "jobs_unfinished": await blocking.call(service.jobs.unfinished),
    }
