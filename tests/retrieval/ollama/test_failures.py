import json

import pytest

from retrieval.errors import (
    ModelServerCrashed,
    ModelServerError,
    ModelServerRefused,
    ModelServerUnavailable,
)
from retrieval.ollama.failures import failure, reason

NESTED = json.dumps(
    {"error": {"code": 400, "message": "request (9 tokens) exceeds", "type": "exceed_context"}}
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":"model \'x\' not found"}', "model 'x' not found"),
        (json.dumps({"error": NESTED}).encode(), "request (9 tokens) exceeds"),
        (b'{"error":{"message":"deep"}}', "deep"),
        (b'{"error":["a"]}', "['a']"),
        (b'{"type":"about:blank","status":401,"detail":"A key is needed."}', "A key is needed."),
        (b"404 page not found", "404 page not found"),
        (b"<html><h1>502 Bad\nGateway</h1></html>", "502 Bad Gateway"),
        (b'{"error":"{not json"}', "{not json"),
        (b"[1]", "[1]"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_the_words_of_a_reply(body: bytes, said: str) -> None:
    assert reason(body) == said


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (503, "server busy, please try again.", ModelServerUnavailable),
        (502, "", ModelServerUnavailable),
        (504, "", ModelServerUnavailable),
        (408, "", ModelServerUnavailable),
        (429, "slow down", ModelServerUnavailable),
        (500, "Loading model", ModelServerUnavailable),
        (400, 'do embedding request: Post "http://127.0.0.1:1/v1": EOF', ModelServerCrashed),
        (500, "model runner has unexpectedly stopped", ModelServerCrashed),
        (500, "read tcp 127.0.0.1: connection reset by peer", ModelServerCrashed),
        (400, "the input length exceeds the context length", ModelServerRefused),
        (401, "unauthorized", ModelServerRefused),
        (403, "", ModelServerRefused),
        (404, "model 'EOF' not found", ModelServerRefused),
        (405, "", ModelServerRefused),
        (500, "boom", ModelServerRefused),
        (501, "", ModelServerRefused),
    ],
)
def test_what_is_worth_asking_again(status: int, text: str, kind: type[ModelServerError]) -> None:
    error = failure("The server at http://box", status, json.dumps({"error": text}).encode())
    assert type(error) is kind
    assert "http://box" in str(error)
