"""Newline-delimited JSON, wherever the network cuts it."""

from collections.abc import AsyncIterator
from typing import Any

from retrieval.errors import ModelServerBroken
from retrieval.ollama.values import parsed

_LINE = "A line of the answer"  # in errors
_LONGEST = 64 * 1024 * 1024  # bytes of one line


async def objects(chunks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """The objects of a stream, one a line.

    Lines end with a line feed only: other line breaks of Unicode may stand inside a text. Blank
    lines are skipped. Raises ModelServerBroken.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield parsed(line, _LINE)
        if len(rest) > _LONGEST:
            raise ModelServerBroken(f"A line of the answer is longer than {_LONGEST:,} bytes.")
    if rest.strip():
        yield parsed(rest, _LINE)
