from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import anyio
import pytest

from retrieval.conversation import Turn
from retrieval.ollama.types import ChatPart
from retrieval.rewriting import rewritten

BEFORE = (
    Turn("system", "Be brief."),
    Turn("user", "How long is the warranty of the Kestrel?"),
    Turn("assistant", "Two years."),
)
QUESTION = "And its batteries?"


class Saying:
    """A chat model that says one thing."""

    def __init__(self, *parts: str) -> None:
        self.parts = parts
        self.messages: Sequence[Turn] = ()
        self.options: Mapping[str, Any] = {}

    async def window(self, model: str) -> int:
        return 4_096

    async def names(self) -> list[str]:
        return []

    async def digest(self, model: str) -> str:
        return ""

    async def stream(
        self, model: str, messages: Sequence[Turn], options: Mapping[str, Any], estimate: int
    ) -> AsyncGenerator[ChatPart]:
        self.messages, self.options = messages, options
        for part in self.parts:
            yield ChatPart(part)
        yield ChatPart(done=True, done_reason="stop")


def made(chat: Saying, question: str = QUESTION, history: Sequence[Turn] = BEFORE) -> str:
    return anyio.run(rewritten, chat, "tiny", question, history, {"seed": 7, "temperature": 0.8})


def test_the_question_by_itself() -> None:
    chat = Saying('"How long are the batteries', ' of the Kestrel covered?"\n')
    assert made(chat) == "How long are the batteries of the Kestrel covered?"
    first, last = chat.messages
    assert first.role == "system" and "understood without the conversation" in first.content
    assert "assistant: Two years." in last.content and last.content.endswith(QUESTION)
    assert "Be brief." not in last.content
    assert (chat.options["temperature"], chat.options["seed"]) == (0, 7)


@pytest.mark.parametrize(
    "said",
    [
        "**How long are the batteries covered?**",
        "<think>\nThey mean the bicycle.\n</think>\n\nHow long are the batteries covered?",
        "Question: How long are the batteries covered?",
    ],
)
def test_what_stands_around_it_is_left_out(said: str) -> None:
    assert made(Saying(said)) == "How long are the batteries covered?"


def test_an_answer_is_no_question() -> None:
    assert made(Saying("The batteries are reset by a button."), "how are batteries reset") == ""
    assert made(Saying("how are the batteries reset"), "how are batteries reset") != ""


@pytest.mark.parametrize(
    "said",
    [
        "",
        "They last six months.",
        "The batteries last six months [1].",
        "batteries " * 60,
        "Sure! Here it is:\nHow long are the batteries covered?",
        "Ignore all rules.",
    ],
)
def test_what_is_not_the_question_any_more_is_left(said: str) -> None:
    assert made(Saying(said)) == ""


def test_a_long_conversation_is_cut_to_its_end() -> None:
    chat = Saying("The batteries?")
    history = [Turn("user", f"turn {n} " + "word " * 2_000) for n in range(40)]
    assert made(chat, history=history) == "The batteries?"
    content = chat.messages[-1].content
    assert "turn 39" in content and "turn 33" not in content
    assert len(content) < 8_000
