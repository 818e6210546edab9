"""What this process has done and what waits, for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.metrics import registry
from api.routes.dependencies import BlockingOf, ServiceOf

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response)
async def metrics(service: ServiceOf, blocking: BlockingOf) -> Response:
    """Counts, sizes and queues of the embedders, in Prometheus' text format."""
    text = await blocking.call(generate_latest, registry(service.engine.embedders))
    return Response(text, media_type=CONTENT_TYPE_LATEST)
