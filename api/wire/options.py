"""`options`: what a model is run with. A wrong type is the client's mistake, answered with 500."""

from collections.abc import Mapping
from typing import Any

from api.wire.refusals import Refusal

_INTEGERS = """
    num_keep seed num_predict top_k repeat_last_n num_ctx num_batch num_gpu main_gpu num_thread
    draft_num_predict
""".split()
_FLOATS = """
    top_p min_p typical_p temperature repeat_penalty presence_penalty frequency_penalty
""".split()
_KINDS = {
    **dict.fromkeys(_INTEGERS, "integer"),
    **dict.fromkeys(_FLOATS, "float32"),
    "use_mmap": "boolean",
    "stop": "array",
}


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are known and not null. Raises Refusal, status 500, for a wrong type."""
    known = {}
    for name, value in options.items():
        kind = _KINDS.get(name)
        if kind is None or value is None:
            continue
        if not _fits(value, kind):
            raise Refusal(500, f'option "{name}" must be of type {kind}')
        known[name] = value
    return known


def _fits(value: Any, kind: str) -> bool:
    if kind == "array":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if isinstance(value, bool) or kind == "boolean":
        return isinstance(value, bool) and kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, (int, float))
