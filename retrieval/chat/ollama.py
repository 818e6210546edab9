"""Chat models at an Ollama server."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from retrieval.conversation import Turn
from retrieval.errors import ModelServerBroken
from retrieval.ollama.settings import OllamaSettings
from retrieval.ollama.types import ChatPart

_KEPT = 4  # num_keep, which a server keeps of a prompt that it cuts
_LIKE_CUT = 0.02  # how near to that length a prompt's count must be to look cut


class OllamaChat:
    """Talks to the chat models of a server, with one constant context size a model.

    Another size would make the server load the model again.
    """

    def __init__(self, settings: OllamaSettings, context: int) -> None:
        """`context`: the tokens of a prompt and its answer, where the model can read as many."""
        self._settings = settings
        self._context = context
        self._windows: dict[str, int] = {}

    async def window(self, model: str) -> int:
        """The context size for a model, asked of the server once. Raises ModelServerError."""
        if model not in self._windows:
            async with self._settings.client() as client:
                shown = await client.show(model)
            self._windows[model] = min(self._context, shown.context_length or self._context)
        return self._windows[model]

    async def names(self) -> list[str]:
        """The models that the server has. Raises ModelServerError."""
        async with self._settings.client() as client:
            return [summary.name for summary in await client.tags()]

    async def digest(self, model: str) -> str:
        """The digest of a model, as the server lists it now. Raises ModelServerError."""
        async with self._settings.client() as client:
            listed = {summary.name.lower(): summary.digest for summary in await client.tags()}
        name = model.lower()
        return listed.get(name) or listed.get(f"{name}:latest", "")

    async def stream(
        self,
        model: str,
        messages: Sequence[Turn],
        options: Mapping[str, Any],
        estimate: int,
    ) -> AsyncGenerator[ChatPart]:
        """The parts of an answer. `estimate` is about how many tokens the messages have.

        The server is told not to cut the prompt. One that does all the same (before 0.12.4) is
        found out by its count. Raises ModelServerError.
        """
        window = await self.window(model)
        body = {
            "model": model,
            "messages": [{"role": turn.role, "content": turn.content} for turn in messages],
            "stream": True,
            "think": False,
            "truncate": False,
            "keep_alive": self._settings.keep_alive,
            "options": {**options, "num_ctx": window},
        }
        async with self._settings.client() as client, aclosing(client.chat(body)) as parts:
            async for part in parts:
                if part.usage:
                    _check(part.usage.prompt_tokens, estimate, window)
                yield part


def _check(read: int | None, estimate: int, window: int) -> None:
    """Raises ModelServerBroken where a count looks like that of a prompt cut in half."""
    cut = window - (window - _KEPT) // 2
    near = read is not None and abs(read - cut) <= max(4, _LIKE_CUT * cut)
    if near and estimate > 1.5 * cut:
        raise ModelServerBroken(
            f"The Ollama server cut the prompt to {read} of about {estimate} tokens without "
            f"saying so. A newer one doesn't; or set a larger FOOTNOTE_CHAT_CONTEXT."
        )
