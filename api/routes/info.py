"""What the process is."""

from typing import Any

from fastapi import APIRouter

from api.limits import limits
from api.ollama.embedder import exact_name
from api.routes.dependencies import BlockingOf, ServiceOf
from api.version import VERSION
from retrieval.abstention import THRESHOLD
from retrieval.embedding.embedder import Embedder
from retrieval.responding import EXTRACTIVE

router = APIRouter(tags=["health"])


@router.get("/info")
async def info(service: ServiceOf, blocking: BlockingOf) -> dict[str, Any]:
    """Version, models and limits."""
    settings = service.settings
    return {
        "version": VERSION,
        "embedder": _embedder(service.engine.embedder),
        "answerer": settings.chat_model or EXTRACTIVE,
        "ollama": bool(settings.ollama_host),
        "answers_stored": settings.store_answers,
        "min_confidence": THRESHOLD,
        "fetch_urls": settings.fetch_urls,
        "limits": limits(settings),
        "jobs_unfinished": await blocking.call(service.jobs.unfinished),
    }


def _embedder(embedder: Embedder) -> dict[str, Any]:
    """The model, with what others need to know that have it embed for them: all that is in its
    identity, the name that no other model answers to, and how much it takes at once.
    """
    identity = embedder.identity
    return {
        "model": identity.name,
        "dimension": identity.dimension,
        "window": identity.window,
        "dtype": identity.dtype,
        "fingerprint": identity.fingerprint,
        "identity": identity.to_json(),
        "exact_name": exact_name(identity).short,
        "batch_tokens": embedder.batch_tokens,
        "parallel": embedder.parallel,
    }
