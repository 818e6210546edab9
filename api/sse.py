"""Server-sent events."""

import json
from typing import Any

EVENT_STREAM = "text/event-stream"
STREAMED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # nothing between holds it back
HEARTBEAT = ": still here\n\n"  # a comment


def event(name: str, data: Any) -> str:
    """One event with JSON data."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
