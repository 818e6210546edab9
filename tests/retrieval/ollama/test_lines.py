import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import ModelServerBroken
from retrieval.ollama import lines
from retrieval.ollama.lines import objects

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u0085\u2028\u2029中🍵")
)


def parsed(*chunks: bytes) -> list[dict[str, Any]]:
    async def feed() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def collect() -> list[dict[str, Any]]:
        return [one async for one in objects(feed())]

    return anyio.run(collect)


@given(st.lists(TEXTS, max_size=5), st.integers(1, 9), st.booleans())
def test_it_does_not_matter_where_the_bytes_are_cut(
    texts: list[str], size: int, ended: bool
) -> None:
    values = [{"t": text} for text in texts]
    data = b"\n".join(json.dumps(value, ensure_ascii=False).encode() for value in values)
    data += b"\n" if ended else b""
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert parsed(*chunks) == values


def test_blank_lines_are_skipped() -> None:
    assert parsed(b'\n{"a":1}\n\r\n', b'  \n{"b":2}') == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("data", [b"[1]\n", b"{bad\n", b"nonsense", b"\xff\n", b'{"a":1'])
def test_what_is_no_object(data: bytes) -> None:
    with pytest.raises(ModelServerBroken, match="no JSON object"):
        parsed(data)


def test_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_LONGEST", 10)
    with pytest.raises(ModelServerBroken, match="longer than 10 bytes"):
        parsed(b"x" * 6, b"x" * 6)
