"""Server-sent events."""

import json
from typing import Any

EVENT_STREAM = "text/event-stream"


def event(name: str, data: Any) -> str:
    """One event with JSON data."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
