"""A whole answer from its parts."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from api.wire.models import Part
from retrieval.ollama.types import ToolCall


async def collected(parts: AsyncGenerator[Part]) -> Part:
    """One part that holds what all of them do; without a `done_reason` if they broke off.

    The last part has all citations.
    """
    content: list[str] = []
    thinking: list[str] = []
    calls: list[ToolCall] = []
    last = Part()
    async with aclosing(parts):
        async for last in parts:
            content.append(last.content)
            thinking.append(last.thinking)
            calls.extend(last.tool_calls)
    return Part(
        content="".join(content),
        thinking="".join(thinking),
        tool_calls=tuple(calls),
        citations=last.citations,
        done_reason=last.done_reason,
        usage=last.usage,
        context=last.context,
    )
