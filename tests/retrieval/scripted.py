"""A chat model for tests, and what runs blocking work beside it."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

import anyio.to_thread

from retrieval.conversation import Turn
from retrieval.ollama.types import ChatPart, Usage


class Scripted:
    """A chat model that says what it is told to, and keeps what it was asked."""

    def __init__(self, *parts: str, context: int = 8_192, reason: str = "stop") -> None:
        self.parts, self.size, self.reason = parts, context, reason
        self.failures: list[Exception] = []
        self.asked: list[Sequence[Turn]] = []
        self.options: Mapping[str, Any] = {}
        self.closed = 0

    async def window(self, model: str) -> int:
        return self.size

    async def names(self) -> list[str]:
        return ["qwen3:4b", "library/tiny:latest"]

    async def digest(self, model: str) -> str:
        return f"sha of {model}"

    async def stream(
        self, model: str, messages: Sequence[Turn], options: Mapping[str, Any], estimate: int
    ) -> AsyncGenerator[ChatPart]:
        self.asked.append(messages)
        self.options = options
        try:
            if self.failures:
                raise self.failures.pop(0)
            for part in self.parts:
                yield ChatPart(part)
            yield ChatPart(done=True, done_reason=self.reason, usage=Usage(321, 12))
        finally:
            self.closed += 1


async def threads(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await anyio.to_thread.run_sync(lambda: work(*args, **kwargs))
