"""Server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse

EVENT_STREAM = "text/event-stream"
_UNHELD = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # by what stands between
HEARTBEAT = ": still here\n\n"  # a comment


def streamed(events: AsyncIterator[str]) -> StreamingResponse:
    """The events, each as it comes."""
    return StreamingResponse(events, headers=_UNHELD, media_type=EVENT_STREAM)


def event(name: str, data: Any) -> str:
    """One event with JSON data."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def described(*names: str) -> dict[str, Any]:
    """How OpenAPI describes a stream of these events: the schema of each."""
    data = {"type": "string", "contentMediaType": "application/json"}
    event = {"type": "object", "properties": {"event": {"enum": list(names)}, "data": data}}
    return {EVENT_STREAM: {"schema": event}}
