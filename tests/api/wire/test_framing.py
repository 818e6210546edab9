import json
from collections.abc import AsyncGenerator

import anyio
import numpy as np
import pytest
from starlette.responses import Response, StreamingResponse

from api.wire.framing import NDJSON, dumps, event, line, stream, timestamp
from api.wire.refusals import Refusal


def test_what_go_escapes_is_escaped_and_nothing_splits_a_line() -> None:
    text = "<a> & \u2028 \u2029 \u0085 中 \n \x0c \x1c"
    written = dumps({"t": text})
    assert json.loads(written) == {"t": text}
    assert rb"\u003ca\u003e \u0026 \u2028 \u2029 \u0085" in written
    assert "中".encode() in written
    assert len(line({"t": text}).decode().splitlines()) == 1


def test_vectors_have_the_fewest_digits_that_give_them_back() -> None:
    vector = np.asarray([0.1, 1 / 3, 1e-9], dtype=np.float32)
    written = dumps(vector)
    assert written == b"[0.1,0.33333334,1e-9]"
    assert np.array_equal(np.asarray(json.loads(written), dtype=np.float32), vector)


def test_times_are_in_utc() -> None:
    assert timestamp().endswith("Z")


def test_events() -> None:
    assert event({"a": 1}, "name") == b'event: name\ndata: {"a":1}\n\n'
    assert event("[DONE]") == b"data: [DONE]\n\n"


def run(parts: AsyncGenerator[int]) -> Response:
    async def framed() -> Response:
        response = await stream(parts, line, lambda refusal: line({"error": refusal.text}), NDJSON)
        assert isinstance(response, StreamingResponse)
        body = [chunk async for chunk in response.body_iterator]
        return Response(b"".join(bytes(c) if not isinstance(c, str) else c.encode() for c in body))

    return anyio.run(framed)


def test_an_error_in_a_stream_is_its_last_line() -> None:
    async def parts() -> AsyncGenerator[int]:
        yield 1
        yield 2
        raise Refusal(500, "it broke")

    assert run(parts()).body == b'1\n2\n{"error":"it broke"}\n'


def test_nothing_at_all_is_an_empty_stream() -> None:
    async def parts() -> AsyncGenerator[int]:
        for number in range(0):
            yield number

    assert run(parts()).body == b""


def test_an_error_before_the_first_part_is_raised() -> None:
    closed = []

    async def parts() -> AsyncGenerator[int]:
        try:
            raise Refusal(404, "not there")
            yield 1
        finally:
            closed.append(True)

    with pytest.raises(Refusal, match="not there"):
        run(parts())
    assert closed
