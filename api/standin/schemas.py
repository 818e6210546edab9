"""The simplest value that a JSON schema allows: what a stand-in answers where one is asked for."""

from collections.abc import Mapping
from typing import Any

from api.wire.framing import dumps
from api.wire.refusals import Refusal

_SIMPLEST: Mapping[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
}


def instance(schema: Mapping[str, Any], at: str = "#") -> Any:
    """A value of the schema. Raises Refusal for a type that there isn't, as llama-server does."""
    if schema.get("enum"):
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for choice in ("anyOf", "oneOf"):
        if schema.get(choice):
            return instance(schema[choice][0], at)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: instance(one, f"{at}/{name}") for name, one in properties.items()}
    if kind == "array":
        return [instance(schema.get("items") or {}, f"{at}/items")]
    if kind not in _SIMPLEST:
        raise Refusal(400, _unconvertible(at, kind))
    return _SIMPLEST[kind]


def _unconvertible(at: str, kind: Any) -> str:
    message = (
        "Field 'json_schema': \"json_schema\": JSON schema conversion failed:\n"
        f"JSON schema error at {at}: unrecognized type {kind}"
    )
    return dumps(
        {"error": {"code": 400, "message": message, "type": "invalid_request_error"}}
    ).decode()
