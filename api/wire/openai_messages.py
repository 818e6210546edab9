"""What the compatible protocols send, as Ollama's messages and options."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.wire.native import Message, ToolCall, ToolCallFunction
from api.wire.refusals import Refusal
from api.wire.structs import image

_EFFORTS: Mapping[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "ultra": "max",
    "max": "max",
}
_NAMED = '"minimal", "low", "medium", "high", "xhigh", "ultra", "max", or "none"'
_NO_URLS = "image URLs are not currently supported, please use base64 encoded data instead"


def messages(items: Sequence[Any]) -> tuple[Message, ...]:
    """The messages of a chat. Raises Refusal."""
    if not items:
        raise Refusal(400, "[] is too short - 'messages'")
    return tuple(map(_message, items))


def effort(value: str | None) -> bool | str | None:
    """`think` from a reasoning effort. Raises Refusal."""
    if not value:
        return None
    if value not in _EFFORTS:
        raise Refusal(400, f'invalid reasoning value: "{value}" (must be {_NAMED})')
    return _EFFORTS[value]


def schema(response_format: Any) -> Any:
    """`format` from a response format: text, json_object or json_schema. Raises Refusal."""
    wanted = _object(response_format, "response_format")
    if wanted.get("type") == "json_object":
        return "json"
    if wanted.get("type") != "json_schema":
        return None
    # In a chat the schema is one level deeper than in a response.
    found = wanted.get("schema", _object(wanted.get("json_schema"), "json_schema").get("schema"))
    if not isinstance(found, dict):
        raise Refusal(400, "response_format of type json_schema has no schema")
    return found


def stops(stop: Any) -> list[str]:
    """`stop` from a text or a list of them. Raises Refusal."""
    if isinstance(stop, str):
        return [stop]
    if isinstance(stop, list) and all(isinstance(one, str) for one in stop):
        return stop
    raise Refusal(400, "stop must be a string or a list of strings")


def text_and_images(parts: Sequence[Any]) -> tuple[str, tuple[bytes, ...]]:
    """The text and the images of a content in parts, of whichever protocol. Raises Refusal."""
    found = list(map(_part, parts))
    texts = "\n".join(text for text, _ in found if text is not None)
    return texts, tuple(data for _, data in found if data is not None)


def _message(item: Any) -> Message:
    if not isinstance(item, dict):
        raise Refusal(400, "messages must be objects")
    content, calls = item.get("content"), tuple(_calls(item.get("tool_calls") or []))
    if content is None and not calls:
        raise Refusal(400, "invalid message content type: <nil>")
    if isinstance(content, list):
        text, images = text_and_images(content)
    elif isinstance(content, str) or content is None:
        text, images = content or "", ()
    else:
        raise Refusal(400, f"invalid message content type: {_go_type(content)}")
    return Message(
        role=str(item.get("role") or ""),
        content=text,
        thinking=str(item.get("reasoning") or ""),
        images=images,
        tool_calls=calls,
        tool_name=str(item.get("name") or ""),
        tool_call_id=str(item.get("tool_call_id") or ""),
    )


def _calls(items: Any) -> Iterator[ToolCall]:
    if not isinstance(items, list):
        raise Refusal(400, "tool_calls must be a list")
    for item in items:
        call = _object(item, "a tool call")
        function = _object(call.get("function"), "function")
        try:
            arguments = json.loads(function.get("arguments") or "{}")
        except (ValueError, TypeError, RecursionError):
            arguments = None
        if not isinstance(arguments, dict):
            raise Refusal(400, "invalid tool call arguments")
        name = str(function.get("name") or "")
        yield ToolCall(str(call.get("id") or ""), ToolCallFunction(name, arguments))


def _part(part: Any) -> tuple[str | None, bytes | None]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("text", "input_text", "output_text"):
        if not isinstance(part.get("text"), str):
            raise Refusal(400, "invalid message format")
        return part["text"], None
    if kind in ("image_url", "input_image"):
        url = part.get("image_url")
        return None, _image(url.get("url") if isinstance(url, dict) else url)
    if kind == "image":
        source = _object(part.get("source"), "source")
        if source.get("type") != "base64":
            raise Refusal(
                400,
                f"invalid image source type: {source.get('type')}. "
                f"Only base64 images are supported.",
            )
        return None, image(source.get("data"), "data")
    raise Refusal(400, "invalid message format")


def _image(url: Any) -> bytes:
    if not isinstance(url, str) or url.startswith(("http://", "https://")):
        raise Refusal(400, _NO_URLS)
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise Refusal(400, "invalid image input")
    return image(data, "image_url")


def _object(value: Any, what: str) -> Mapping[str, Any]:
    """An object; an empty one for null. Raises Refusal."""
    if value is not None and not isinstance(value, dict):
        raise Refusal(400, f"{what} must be an object")
    return value or {}


def _go_type(value: Any) -> str:
    return {bool: "bool", dict: "map[string]interface {}"}.get(type(value), "float64")
