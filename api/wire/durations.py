"""`keep_alive`: how long a model stays loaded, as Ollama reads it."""

import math
import re
from typing import Any

from api.wire.refusals import Refusal

FOREVER = math.inf
"""Seconds of a model that is never unloaded."""

_LONGEST = 2**63 / 1e9  # nanoseconds in 64 bits: 292 years
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_PART = re.compile(r"(?P<number>\d+\.?\d*|\.\d+)(?P<unit>[^\d.]*)")


def keep_alive(value: Any) -> float:
    """Seconds, FOREVER for a negative length: from a number of seconds or a Go duration.

    Raises Refusal with the text of Go's time.ParseDuration.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        name = {bool: "bool", list: "[]interface {}", dict: "map[string]interface {}"}
        raise Refusal(400, f"Unsupported type: '{name[type(value)]}'")
    seconds = _parsed(value) if isinstance(value, str) else float(value)
    return seconds if 0 <= seconds <= _LONGEST else FOREVER


def _parsed(text: str) -> float:
    quoted = f'"{text}"'
    sign, body = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if body == "0":
        return 0.0
    seconds, at = 0.0, 0
    while at < len(body) or not body:
        part = _PART.match(body, at)
        if part is None:
            raise Refusal(400, f"time: invalid duration {quoted}")
        if not part["unit"]:
            raise Refusal(400, f"time: missing unit in duration {quoted}")
        if part["unit"] not in _UNITS:
            raise Refusal(400, f'time: unknown unit "{part["unit"]}" in duration {quoted}')
        seconds += float(part["number"]) * _UNITS[part["unit"]]
        at = part.end()
    if seconds > _LONGEST:
        raise Refusal(400, f"time: invalid duration {quoted}")
    return sign * seconds
