"""Replays requests recorded from a real Ollama server, and tells where an answer differs.

The recording is not part of this repository: the tests that use it are skipped without it.
"""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

RECORDING = Path(__file__).parents[3] / "shared" / "ollama-golden.jsonl"
_PLACEHOLDER = re.compile(r"\{[A-Z]\}")
_KINDS: Mapping[str, Any] = {
    "str": str,
    "int": (int, float),
    "num": (int, float),
    "bool": bool,
    "null": type(None),
    "rfc3339": str,
}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


def cases() -> list[dict[str, Any]]:
    """All recorded cases, in their order."""
    if not RECORDING.exists():
        return []
    lines = RECORDING.read_text(encoding="utf-8").splitlines()
    return [case for case in map(json.loads, lines) if "_meta" not in case]


def unbound(case: Mapping[str, Any], models: Mapping[str, str]) -> list[str]:
    """The placeholders of a case for which there is no model."""
    text = json.dumps([case.get("body"), case["p"], case.get("need", [])])
    return [name for name in _PLACEHOLDER.findall(text) if name not in models]


def replay(url: str, case: Mapping[str, Any], models: Mapping[str, str]) -> Reply:
    """The answer of the server at `url`."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    body = None
    if "raw" in case:
        body = case["raw"].encode()
    elif "body" in case:
        body = json.dumps(_bound(case["body"], models)).encode()
    path = _bound(case["p"], models)
    try:
        connection.request(case["m"], path, body=body, headers=case.get("h", {}))
        reply = connection.getresponse()
        headers = {name.lower(): value for name, value in reply.getheaders()}
        return Reply(reply.status, headers, reply.read())
    finally:
        connection.close()


def differences(case: Mapping[str, Any], reply: Reply, models: Mapping[str, str]) -> list[str]:
    """What isn't as it was recorded: status, type, headers, texts, shapes, vectors."""
    expected = case["expect"]
    found = list(_head(expected, reply))
    try:
        values = _values(expected["kind"], reply.body)
    except ValueError as wrong:
        return [*found, f"no {expected['kind']}: {wrong}"]
    error = next((v["error"] for v in values if isinstance(v, dict) and v.get("error")), None)
    said = error.get("message") if isinstance(error, dict) else error
    if "err" in expected and said != _bound(expected["err"], models):
        found.append(f"error {said!r}, not {expected['err']!r}")
    if "err_type" in expected and isinstance(error, dict) and error["type"] != expected["err_type"]:
        found.append(f"error type {error['type']!r}")
    if expected["kind"] == "json" and values and expected.get("shape") not in (None, "E"):
        found.extend(_shape(expected["shape"], values[0], ""))
    if "exact" in expected and not _equal(expected, reply.body, models):
        found.append(f"body {reply.body[:120]!r}")
    if bool(expected.get("trailing_newline")) != reply.body.endswith(b"\n"):
        found.extend(["the last byte"] if expected["kind"] == "json" else [])
    for shape, value in _ends(expected, values):
        found.extend(_shape(shape, value, "line"))
    if "vec" in expected and values:
        found.extend(_vectors(expected["vec"], values[0]))
    return found


def _head(expected: Mapping[str, Any], reply: Reply) -> Iterator[str]:
    if reply.status != expected["st"]:
        yield f"status {reply.status}, not {expected['st']}"
    kind = reply.headers.get("content-type")
    chunked = expected.get("te") == "chunked" and expected["kind"] == "json"
    if expected["ct"] and kind != expected["ct"] and not chunked:
        yield f"type {kind!r}, not {expected['ct']!r}"
    for name, value in expected.get("hdr", {}).items():
        if reply.headers.get(name) != value:
            yield f"{name} {reply.headers.get(name)!r}, not {value!r}"


def _values(kind: str, body: bytes) -> list[Any]:
    if kind == "json":
        return [json.loads(body)]
    if kind == "ndjson":
        return [json.loads(line) for line in body.split(b"\n") if line]
    if kind == "sse":
        frames = [frame.decode() for frame in body.split(b"\n\n") if frame]
        return [_event(frame) for frame in frames]
    return []


def _event(frame: str) -> dict[str, Any]:
    fields = dict(line.split(": ", 1) for line in frame.split("\n"))
    data = fields.pop("data")
    return {**fields, "data": data if data == "[DONE]" else json.loads(data)}


def _ends(expected: Mapping[str, Any], values: list[Any]) -> list[tuple[Any, Any]]:
    """The first and last lines or events with what they should be; what is between repeats."""
    shapes = expected.get("lines") or expected.get("events") or []
    if not shapes or any("..." in shape for shape in shapes) or not values:
        return []
    return [(shapes[0], values[0]), (shapes[-1], values[-1])]


def _equal(expected: Mapping[str, Any], body: bytes, models: Mapping[str, str]) -> bool:
    wanted = _bound(expected["exact"], models)
    if expected["kind"] == "json":
        return bool(json.loads(wanted) == json.loads(body))
    return bool(body.decode() == wanted)


def _shape(shape: Any, value: Any, at: str) -> list[str]:
    if shape == "any" or (isinstance(shape, dict) and "<free-form>" in shape):
        return []
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{at} is no object"]
        return [
            problem
            for key, inner in shape.items()
            for problem in (
                _shape(inner, value[key], f"{at}.{key}") if key in value else [f"no {at}.{key}"]
            )
        ]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{at} is no list"]
        return _shape(shape[0], value[0], f"{at}[0]") if value else []
    if shape in ("[num]", "[]"):
        numbers = isinstance(value, list) and all(isinstance(x, (int, float)) for x in value)
        return [] if numbers and (shape == "[num]" or not value) else [f"{at} is not {shape}"]
    if shape.startswith("="):
        literal = {"=true": True, "=false": False}.get(shape, shape[1:])
        free = at.endswith("done_reason") or at.endswith("finish_reason")
        return [] if value == literal or free else [f"{at} is {value!r}, not {literal!r}"]
    fits = isinstance(value, _KINDS[shape]) if shape in _KINDS else value == shape
    return [] if fits else [f"{at} is {value!r}, not {shape}"]


def _vectors(expected: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[str]:
    raw = value.get("embeddings") or [value.get("embedding")]
    if "data" in value:
        raw = [one["embedding"] for one in value["data"]]
    vectors = [np.asarray(one, dtype=float) for one in raw if not isinstance(one, str)]
    if not vectors:
        return
    if len(vectors) != expected["n"]:
        yield f"{len(vectors)} vectors, not {expected['n']}"
    if expected["len"] != "dim" and len(vectors[0]) != expected["len"]:
        yield f"{len(vectors[0])} numbers, not {expected['len']}"
    norm = float(np.linalg.norm(vectors[0]))
    if abs(norm - expected["norm"]) > 1e-3:
        yield f"norm {norm}, not {expected['norm']}"


def _bound(value: Any, models: Mapping[str, str]) -> Any:
    """The value with the names of models in their places."""
    if isinstance(value, dict):
        if set(value) == {"$repeat"}:
            return value["$repeat"][0] * value["$repeat"][1]
        return {key: _bound(item, models) for key, item in value.items()}
    if isinstance(value, list):
        return [_bound(item, models) for item in value]
    if isinstance(value, str):
        for name, model in models.items():
            value = value.replace(name, model)
    return value
