"""What this process has done and what waits, for Prometheus."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.metrics.registry import Metrics
from api.routes.dependencies import BlockingOf

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response)
async def metrics(request: Request, blocking: BlockingOf) -> Response:
    """Requests, searches, answers, ingestion, embedders, stores and the process, in Prometheus'
    text format.
    """
    counted: Metrics = request.app.state.metrics
    text = await blocking.call(generate_latest, counted.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
