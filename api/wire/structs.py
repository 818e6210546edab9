"""Typed requests from JSON, as Go decodes it into a struct.

Keys are matched without regard to case, unknown ones ignored, null is absent; what has the wrong
type is refused in encoding/json's words.
"""

import base64
import binascii
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from api.wire import go_json
from api.wire.durations import keep_alive as to_seconds
from api.wire.refusals import Refusal

T = TypeVar("T")

Read = Callable[[Any, str], Any]
"""Reads a JSON value; the text says where it stands, `Struct.field`."""

_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_LEVELS = ("high", "medium", "low", "max")
_THINK = '"high", "medium", "low", "max", true, or false'


def field(read: Read, default: Any = None, key: str = "") -> Any:
    """A dataclass field that is read from JSON by `read`, `default` where it is absent.

    `key` is its name in JSON where Python can't have it. A callable default makes a new one.
    """
    metadata = {"read": read, "key": key}
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def decode(struct: type[T], body: bytes, package: str = "api") -> T:
    """The struct that a body holds; null is an empty one. Raises Refusal, status 400."""
    try:
        value = go_json.loads(body)
    except go_json.Malformed as error:
        raise Refusal(400, str(error)) from None
    if value is None:
        value = {}
    if not isinstance(value, dict):
        kind = f"Go value of type {package}.{struct.__name__}"
        raise Refusal(400, f"json: cannot unmarshal {_named(value)} into {kind}")
    return _filled(struct, value, struct.__name__)


def string(value: Any, at: str) -> str:
    return value if isinstance(value, str) else _mismatch(value, at, "string")


def boolean(value: Any, at: str) -> bool:
    return value if isinstance(value, bool) else _mismatch(value, at, "bool")


def integer(value: Any, at: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    return _mismatch(value, at, "int")


def number(value: Any, at: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return _mismatch(value, at, "float64")


def mapping(value: Any, at: str) -> dict[str, Any]:
    return value if isinstance(value, dict) else _mismatch(value, at, "map[string]interface {}")


def anything(value: Any, _at: str) -> Any:
    return value


def several(read: Read, of: str) -> Read:
    """Reads a list; `of` is the Go type of its items."""

    def read_list(value: Any, at: str) -> Any:
        if not isinstance(value, list):
            return _mismatch(value, at, f"[]{of}")
        return tuple(read(item, at) for item in value if item is not None)

    return read_list


def nested(struct: type[T], package: str = "api") -> Read:
    """Reads a struct inside another."""

    def read_struct(value: Any, at: str) -> T:
        if not isinstance(value, dict):
            _mismatch(value, at, f"{package}.{struct.__name__}")
        return _filled(struct, value, at)

    return read_struct


def duration(value: Any, _at: str) -> float:
    return to_seconds(value)


def think(value: Any, _at: str) -> bool | str:
    if isinstance(value, bool) or value in _LEVELS:
        return value  # type: ignore[no-any-return]
    if isinstance(value, str):
        raise Refusal(400, f'invalid think value: "{value}" (must be {_THINK})')
    raise Refusal(400, f"think must be a boolean or string ({_THINK})")


def image(value: Any, at: str) -> bytes:
    """The bytes of an image in plain base64; Go tells where the first wrong byte is."""
    data = string(value, at).encode()
    wrong = next((i for i, byte in enumerate(data.rstrip(b"=")) if byte not in _BASE64), None)
    try:
        if wrong is None:
            return base64.b64decode(data, validate=True)
    except binascii.Error:
        wrong = len(data)
    raise Refusal(400, f"illegal base64 data at input byte {wrong}")


def arguments(value: Any, at: str) -> dict[str, Any]:
    """The arguments of a tool call: an object here, a text of JSON only in OpenAI's protocol."""
    if isinstance(value, str):
        raise Refusal(400, "Value looks like object, but can't find closing '}' symbol")
    return mapping(value, at)


def _filled(struct: type[T], value: Mapping[str, Any], at: str) -> T:
    fields = {one.metadata["key"] or one.name: one for one in dataclasses.fields(struct)}  # type: ignore[arg-type]
    given = {}
    for key, item in value.items():
        one = fields.get(key.lower())
        if one is not None and item is not None:
            given[one.name] = one.metadata["read"](item, f"{at}.{key.lower()}")
    return struct(**given)


def _mismatch(value: Any, at: str, kind: str) -> NoReturn:
    named = _named(value)
    if kind == "int" and named == "number":
        named = f"number {value}"
    text = f"json: cannot unmarshal {named} into Go struct field {at} of type {kind}"
    raise Refusal(400, text)


def _named(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    kinds = {str: "string", list: "array", dict: "object", int: "number", float: "number"}
    return kinds[type(value)]
