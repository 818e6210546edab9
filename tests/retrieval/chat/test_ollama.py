"""Chat models at the stand-in: the context that is asked for, and what becomes of a cut prompt."""

from collections.abc import Iterator, Sequence
from typing import Any

import anyio
import pytest

from api.standin.catalogue import default_models
from api.standin.chatting import ChatModel
from api.standin.faults import Fault, Kind
from api.standin.server import create_standin, running
from api.wire.models import Completion
from retrieval.chat.ollama import OllamaChat
from retrieval.conversation import Turn
from retrieval.errors import ModelServerBroken, ModelServerRefused
from retrieval.ollama.retry import Retry
from retrieval.ollama.settings import OllamaSettings
from retrieval.ollama.types import ChatPart

HI = [Turn("system", "Be brief."), Turn("user", "hi 中文")]


class Recorded:
    """A stand-in whose model keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Completion] = []
        self.plan: list[Fault] = []

    def say(self, completion: Completion) -> str:
        self.asked.append(completion)
        return "One two three."


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def settings(recorded: Recorded) -> Iterator[OllamaSettings]:
    models = [*default_models(recorded.say), ChatModel("cutting", script=recorded.say)]
    with running(create_standin(models, plan=recorded.plan)) as url:
        yield OllamaSettings(url, keep_alive="1h", retry=Retry(first=0.0))


def talk(
    chat: OllamaChat, messages: Sequence[Turn] = HI, estimate: int = 10, **options: Any
) -> list[ChatPart]:
    async def collect() -> list[ChatPart]:
        return [part async for part in chat.stream("tiny", messages, options, estimate)]

    return anyio.run(collect)


def test_an_answer_in_parts_with_its_cost(settings: OllamaSettings, recorded: Recorded) -> None:
    parts = talk(OllamaChat(settings, 2_048), temperature=0.5)
    assert "".join(part.content for part in parts) == "One two three."
    assert parts[-1].usage and parts[-1].usage.prompt_tokens and parts[-1].usage.output_tokens == 3
    (asked,) = recorded.asked
    assert [(m.role, m.content) for m in asked.messages] == [(t.role, t.content) for t in HI]
    assert asked.options == {"temperature": 0.5, "num_ctx": 2_048}
    assert (asked.truncate, asked.think) == (False, False)


def test_the_context_is_no_larger_than_the_model_s(settings: OllamaSettings) -> None:
    assert anyio.run(OllamaChat(settings, 100_000).window, "tiny") == 4_096
    assert anyio.run(OllamaChat(settings, 2_048).window, "tiny") == 2_048
    with pytest.raises(ModelServerRefused, match="not found"):
        anyio.run(OllamaChat(settings, 2_048).window, "nope")


def test_a_digest_is_that_of_the_list(settings: OllamaSettings) -> None:
    chat = OllamaChat(settings, 2_048)
    digest = anyio.run(chat.digest, "tiny")
    assert len(digest) == 64
    assert anyio.run(chat.digest, "Tiny:latest") == digest
    assert anyio.run(chat.digest, "tiny-think") != digest
    assert anyio.run(chat.digest, "nope") == ""


def test_a_prompt_that_is_too_long_is_refused_and_not_cut(settings: OllamaSettings) -> None:
    with pytest.raises(ModelServerRefused, match="exceeds the available context") as caught:
        talk(OllamaChat(settings, 2_048), [Turn("user", "word " * 3_000)], 5_000)
    assert caught.value.status == 400


def test_a_server_that_cuts_all_the_same_is_found_out(settings: OllamaSettings) -> None:
    window, half = 2_048, 2_048 - (2_048 - 4) // 2
    prompt = [Turn("user", "x. " * ((half - 4) // 2))]  # read as just that many tokens
    with pytest.raises(ModelServerBroken, match="cut the prompt"):
        talk(OllamaChat(settings, window), prompt, estimate=5_000)
    assert talk(OllamaChat(settings, window), prompt, estimate=half)[-1].done


@pytest.mark.parametrize("kind", [Kind.UNFINISHED, Kind.BROKEN, Kind.ERROR_LINE, Kind.CUT])
def test_an_answer_that_breaks_off_is_no_answer(
    settings: OllamaSettings, recorded: Recorded, kind: Kind
) -> None:
    chat = OllamaChat(settings, 2_048)
    recorded.plan.append(Fault(kind, "/api/chat", after=1))
    if kind is Kind.CUT:
        recorded.plan[-1] = Fault(kind, "/api/chat", times=9)
    with pytest.raises(Exception, match=r"broke off|can't be used|unexpected EOF|no JSON"):
        talk(chat)
    recorded.plan.clear()
    assert talk(chat)[-1].done


def test_a_server_that_is_busy_is_asked_again(settings: OllamaSettings, recorded: Recorded) -> None:
    recorded.plan.append(Fault(Kind.REFUSED, "/api/chat", times=3))
    assert talk(OllamaChat(settings, 2_048))[-1].done
    assert anyio.run(OllamaChat(settings, 2_048).names)[0] == "all-minilm:latest"
