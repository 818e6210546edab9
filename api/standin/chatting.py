"""Chat models of the stand-in: they say what their script says, a word a part."""

import hashlib
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Any

import anyio

from api.standin.embedding import MADE
from api.standin.faults import DIED, Fault, Kind, current
from api.standin.schemas import instance
from api.wire.framing import dumps
from api.wire.models import Card, Completion, Embedded, Part
from api.wire.names import ModelName
from api.wire.native import Message
from api.wire.refusals import Refusal
from retrieval.ollama.types import ToolCall, Usage

Script = Callable[[Completion], str]
"""What a model says to a conversation."""

CONTEXT = 4_096
_KEEP = 5  # num_keep and the token that begins a text
_TOKEN = re.compile(r"([^\W_])\1?|[^\w\s]|_")  # a letter, or two that are equal
_OVERHEAD = 4  # tokens of a template around the messages
_NO_ROOM = (
    "the prompt is longer than the context length currently available to the model; shorten the "
    "prompt, adjust the context length in settings, or use a model with a longer context length"
)


def echo(completion: Completion) -> str:
    """The last message again: what a model says that has no script."""
    return f"You said: {completion.messages[-1].content}"


class ChatModel:
    """A model with a script. `native` is one whose prompt llama-server itself refuses to cut."""

    def __init__(
        self,
        name: str,
        *capabilities: str,
        script: Script = echo,
        native: bool = False,
        seconds: float = 0.0,
    ) -> None:
        """`seconds` is how long a part takes."""
        self._script, self._native, self._seconds = script, native, seconds
        self.card = Card(
            name=ModelName(name),
            digest=hashlib.sha256(name.encode()).hexdigest(),
            size=1_000_000,
            modified_at=MADE,
            capabilities=("completion", *capabilities),
            format="gguf",
            family="llama",
            parameter_size="1M",
            quantization="F16",
            context_length=CONTEXT,
            embedding_length=64,
            template="{{ .Prompt }}",
            model_info={
                "general.architecture": "llama",
                "llama.context_length": CONTEXT,
                "llama.embedding_length": 64,
                "tokenizer.ggml.model": "gpt2",
                "tokenizer.ggml.tokens": None,
            },
        )

    async def embed(
        self, _texts: Sequence[str], _limit: int, _truncate: bool, _urgent: bool = False
    ) -> Embedded:
        raise Refusal(501, "This server does not support embeddings. Start it with `--embeddings`")

    async def complete(self, completion: Completion) -> AsyncGenerator[Part]:
        prompt = self._prompt_tokens(completion)
        parts = list(self._parts(completion))
        written, limit = 0, int(completion.options.get("num_predict") or -1)
        fault = current.get()
        for index, part in enumerate(parts):
            if fault is not None and index == fault.after and _ends(fault):
                return
            if written == limit:
                break
            await anyio.sleep(self._seconds)
            written += 1
            yield part
        reason = "length" if written == limit else "stop"
        yield Part(done_reason=reason, usage=_usage(prompt, written), context=(1, 2, 3))

    def _parts(self, completion: Completion) -> Iterator[Part]:
        if "thinking" in self.card.capabilities and completion.think is not False:
            yield Part(thinking="Let me think. ")
        called = completion.messages[-1].role == "tool"
        if completion.tools and not called:
            yield Part(tool_calls=(_call(completion.tools[0]),))
            return
        for word in re.findall(r"\s*\S+|\s+$", self._text(completion)):
            yield Part(content=word)

    def _text(self, completion: Completion) -> str:
        if not completion.format:
            return self._script(completion)
        if completion.format == "json":
            return dumps({"text": self._script(completion)}).decode()
        return dumps(instance(completion.format)).decode()

    def _prompt_tokens(self, completion: Completion) -> int:
        """The tokens that are read, of as many messages as there is room for. Raises Refusal."""
        room = min(int(completion.options.get("num_ctx") or CONTEXT), CONTEXT)
        counts = [count_tokens(message) for message in completion.messages]
        total = sum(counts) + _OVERHEAD
        if total <= room:
            return total
        if not completion.truncate or self._native:
            raise Refusal(400, _exceeded(total, room))
        if not completion.shift:
            raise Refusal(400, _NO_ROOM)
        last = counts[-1] + _OVERHEAD
        return last if last <= room else room - (room - _KEEP) // 2


def count_tokens(message: Message) -> int:
    return len(_TOKEN.findall(message.content))


def _ends(fault: Fault) -> bool:
    """Whether a stream ends here as if that were all. Raises what makes it end otherwise."""
    if fault.kind is Kind.ERROR_LINE:
        raise Refusal(500, DIED)
    if fault.kind is Kind.BROKEN:
        raise ConnectionAbortedError("as planned")
    return fault.kind is Kind.UNFINISHED


def _usage(prompt: int, written: int) -> Usage:
    """Durations that are the same every time: a millisecond a token."""
    return Usage(
        prompt_tokens=prompt,
        output_tokens=written,
        total_ns=(prompt + written + 1) * 1_000_000,
        load_ns=1_000_000,
        prompt_ns=prompt * 1_000_000,
        output_ns=max(1, written) * 1_000_000,
    )


def _call(tool: Any) -> ToolCall:
    function = tool.get("function") or {}
    arguments = instance(function.get("parameters") or {"type": "object"})
    return ToolCall(str(function.get("name") or ""), arguments, f"call_{secrets.token_hex(4)}")


def _exceeded(total: int, room: int) -> str:
    error = {
        "code": 400,
        "message": f"request ({total} tokens) exceeds the available context size "
        f"({room} tokens), try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": total,
        "n_ctx": room,
    }
    return dumps({"error": error}).decode()
