"""The official Python client of Ollama, as it comes from PyPI, sync and async."""

import asyncio
import base64
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from ollama import AsyncClient, Client, ResponseError

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
QUESTION = [{"role": "user", "content": "How long does the warranty of the Kestrel last?"}]


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(server, trust_env=False) as opened:
        yield opened


def unit(vector: Any) -> bool:
    return abs(float(np.linalg.norm(vector)) - 1) < 1e-5


def test_models_of_both_servers_are_listed(client: Client) -> None:
    names = [model.model for model in client.list().models]
    assert {"kb/docs:latest", "all-minilm:latest", "tiny:latest"} <= set(names)
    assert len(names) == len(set(names))


def test_show(client: Client) -> None:
    kb = client.show("kb/docs")
    assert kb.capabilities == ["completion", "thinking"]
    assert kb.modelinfo and kb.modelinfo["footnote.context_length"] == 8192
    embedder = client.show("all-minilm")
    assert embedder.capabilities == ["embedding"]
    assert embedder.modelinfo and embedder.modelinfo["bert.embedding_length"] == 384
    assert client.show("tiny").details and client.show("tiny").template == "{{ .Prompt }}"


def test_embed_one_and_many(client: Client) -> None:
    one = client.embed("all-minilm", "hello world")
    assert one.prompt_eval_count == 4
    assert len(one.embeddings) == 1 and unit(one.embeddings[0])
    many = client.embed("all-minilm:latest", ["hello world", "猫", ""], keep_alive="10m")
    assert len(many.embeddings) == 3 and all(map(unit, many.embeddings))
    assert np.allclose(many.embeddings[0], one.embeddings[0], atol=1e-5)
    short = client.embed("all-minilm", "hello world", dimensions=8)
    assert len(short.embeddings[0]) == 8 and unit(short.embeddings[0])
    old = client.embeddings("all-minilm", "hello world")
    assert np.allclose(old.embedding, one.embeddings[0], atol=1e-5)


def test_too_long_a_text_is_cut_or_refused(client: Client) -> None:
    long = "cat " * 5_000
    assert client.embed("all-minilm", long).prompt_eval_count == 256
    assert client.embed("all-minilm", long, options={"num_ctx": 32}).prompt_eval_count == 32
    with pytest.raises(ResponseError, match="exceeds the context length") as caught:
        client.embed("all-minilm", ["short", long], truncate=False)
    assert caught.value.status_code == 400


def test_a_used_model_is_loaded_until_it_is_unloaded(client: Client) -> None:
    client.embed("all-minilm", "x", keep_alive="1h")
    assert "all-minilm:latest" in [model.model for model in client.ps().models]
    client.embed("all-minilm", "", keep_alive=0)
    assert "all-minilm:latest" not in [model.model for model in client.ps().models]


def test_a_knowledge_base_answers_with_footnotes(client: Client, texts: dict[str, str]) -> None:
    answer = client.chat("kb/docs:extractive", QUESTION)
    content = answer.message.content or ""
    assert content.startswith("The warranty of the Kestrel lasts twenty-four months. [1]")
    assert "**Sources**\n\n- **[1]** [Kestrel](http://" in content
    assert (answer.done_reason, answer.done) == ("stop", True)
    assert answer.prompt_eval_count and answer.eval_count and answer.total_duration


def test_citations_are_data_too(server: str, texts: dict[str, str]) -> None:
    body = {"model": "kb/docs", "messages": QUESTION, "stream": False}
    reply = httpx.post(f"{server}/api/chat", json=body, trust_env=False, timeout=60).json()
    (citation,) = reply["citations"]
    assert reply["message"]["citations"] == [citation]
    quote = texts[citation["document_id"]][citation["start"] : citation["end"]]
    assert quote == citation["quote"]
    assert citation["verified"] is True
    place = reply["message"]["content"][citation["answer_start"] : citation["answer_end"]]
    assert place == f"{citation['quote']} [1]"
    source = httpx.get(citation["url"].split("#")[0], trust_env=False)
    assert citation["quote"] in source.text


def test_a_streamed_answer_is_the_same(client: Client) -> None:
    whole = client.chat("kb/docs", QUESTION).message.content
    parts = list(client.chat("kb/docs", QUESTION, stream=True))
    assert "".join(part.message.content or "" for part in parts) == whole
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]


def test_thinking_tells_what_was_found(client: Client) -> None:
    assert "Kestrel" in (client.chat("kb/docs", QUESTION, think=True).message.thinking or "")
    assert not client.chat("kb/docs", QUESTION).message.thinking


def test_what_a_chat_model_marks_is_verified(client: Client) -> None:
    content = client.chat("kb/docs:cited", QUESTION).message.content or ""
    assert "twenty-four months. [1]" in content or "twenty-four months [1]." in content
    first, second, third = _sentences(content)
    assert "[1]" in first
    assert "900 watts" in second and "[" not in second
    assert "six months" in third and "[2]" in third  # the mark was wrong, the sentence is right


def _sentences(content: str) -> list[str]:
    head = content.split("\n\n**")[0]
    marks = [head.index("Its motor"), head.index("Batteries")]
    return [head[: marks[0]], head[marks[0] : marks[1]], head[marks[1] :]]


def test_chinese(client: Client) -> None:
    asked = [{"role": "user", "content": "运费险的理赔时限是几天？"}]
    for model in ("kb/docs", "kb/docs:cited"):
        content = client.chat(model, asked).message.content or ""
        assert content.startswith("运费险的理赔时限是七天")
        assert "**来源**" in content


def test_the_conversation_counts(client: Client) -> None:
    turns = [*QUESTION, {"role": "assistant", "content": "Twenty-four months. [1]"}]
    alone = client.chat("kb/docs", [{"role": "user", "content": "And what about its batteries?"}])
    assert "six months" in (alone.message.content or "")
    turns.append({"role": "user", "content": "How many watts?"})
    assert "250 watts" in (client.chat("kb/docs", turns).message.content or "")


def test_generate(client: Client) -> None:
    prompt = QUESTION[0]["content"]
    answer = client.generate("kb/docs", prompt)
    assert "twenty-four months. [1]" in (answer.response or "")
    parts = list(client.generate("kb/docs", prompt, stream=True))
    assert "".join(part.response or "" for part in parts) == answer.response
    assert client.generate("kb/docs", "").done_reason == "load"
    assert client.generate("kb/docs", "", keep_alive=0).done_reason == "unload"


def test_what_is_not_ours_is_passed_on(client: Client) -> None:
    asked = [{"role": "user", "content": "hi 中文 \u2028 end"}]
    assert client.chat("tiny", asked).message.content == "You said: hi 中文 \u2028 end"
    parts = list(client.chat("tiny", asked, stream=True))
    assert "".join(part.message.content or "" for part in parts).endswith("\u2028 end")
    assert client.generate("tiny", "hi").response == "You said: hi"
    limited = client.chat("tiny", asked, options={"num_predict": 1})
    assert limited.done_reason == "length"
    thought = client.chat("tiny-think", asked)
    assert thought.message.thinking


def test_tools_and_formats_are_passed_on(client: Client) -> None:
    asked = [{"role": "user", "content": "hi"}]
    called = client.chat("tiny-tools", asked, tools=[WEATHER])
    (call,) = called.message.tool_calls or []
    assert (call.function.name, call.function.arguments) == ("weather", {"city": "text"})
    answered = client.chat(
        "tiny-tools",
        [*asked, called.message, {"role": "tool", "content": "rain", "tool_name": "weather"}],
        tools=[WEATHER],
    )
    assert answered.message.content == "You said: rain"
    assert client.chat("tiny", asked, format=SCHEMA).message.content == '{"a":1}'
    assert client.chat("tiny", asked, format="json").message.content == '{"text":"You said: hi"}'


def test_models_are_managed_behind_us(client: Client) -> None:
    client.copy("tiny", "tiny-copy")
    assert client.chat("tiny-copy", QUESTION).message.content
    client.delete("tiny-copy")
    assert [step.status for step in client.pull("tiny", stream=True)][-1] == "success"
    made = client.create("mine", from_="tiny", system="Be brief.", stream=False)
    assert made.status == "success"
    client.delete("mine")


FAULTS: list[tuple[str, Callable[[Client], Any], int, str]] = [
    ("unknown chat", lambda c: c.chat("nope", QUESTION), 404, "model 'nope' not found"),
    ("unknown kb", lambda c: c.chat("kb/nope", QUESTION), 404, "model 'kb/nope' not found"),
    ("unknown embed", lambda c: c.embed("kb/nope", "x"), 404, 'model "kb/nope" not found'),
    ("unknown answerer", lambda c: c.chat("kb/docs:nope", QUESTION), 404, "not found"),
    ("not a name", lambda c: c.chat("a b", QUESTION), 400, "invalid model name"),
    ("embedding by chat", lambda c: c.embed("kb/docs", "x"), 501, "does not support embeddings"),
    ("chat by embedder", lambda c: c.chat("all-minilm", QUESTION), 400, "does not support chat"),
    (
        "tools",
        lambda c: c.chat("kb/docs", QUESTION, tools=[WEATHER]),
        400,
        "registry.ollama.ai/kb/docs:latest does not support tools",
    ),
    ("format", lambda c: c.chat("kb/docs", QUESTION, format="json"), 400, "keep to a format"),
    (
        "image",
        lambda c: c.chat(
            "kb/docs", [{**QUESTION[0], "images": [base64.b64encode(b"png").decode()]}]
        ),
        400,
        "multimodal",
    ),
    (
        "empty question",
        lambda c: c.chat("kb/docs", [{"role": "user", "content": " "}]),
        400,
        "nothing to answer",
    ),
    ("long history", lambda c: c.chat("kb/docs", QUESTION * 1_002), 400, "more than 1,000"),
    (
        "option",
        lambda c: c.chat("kb/docs", QUESTION, options={"temperature": "hot"}),
        500,
        'option "temperature" must be of type float32',
    ),
    ("delete", lambda c: c.delete("kb/docs"), 400, "is a knowledge base"),
    ("copy", lambda c: c.copy("kb/docs", "x"), 400, "is a knowledge base"),
    ("create", lambda c: c.create("kb/new", from_="tiny", stream=False), 400, "knowledge base"),
    ("delete ours", lambda c: c.delete("all-minilm"), 400, "built in"),
]


@pytest.mark.parametrize(
    ("call", "status", "text"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_every_error_is_one_that_the_client_understands(
    client: Client, call: Callable[[Client], Any], status: int, text: str
) -> None:
    with pytest.raises(ResponseError) as caught:
        call(client)
    assert caught.value.status_code == status
    assert text in caught.value.error


def test_the_asynchronous_client(server: str) -> None:
    async def talk() -> None:
        async with AsyncClient(server, trust_env=False) as client:
            await _talk(client)

    asyncio.run(talk())


async def _talk(client: AsyncClient) -> None:
    embedded = await client.embed("all-minilm", ["a", "b"])
    assert len(embedded.embeddings) == 2
    answer = await client.chat("kb/docs", QUESTION)
    parts = [part async for part in await client.chat("kb/docs", QUESTION, stream=True)]
    assert "".join(p.message.content or "" for p in parts) == answer.message.content
    assert (await client.generate("tiny", "hi")).response == "You said: hi"
    assert (await client.list()).models and (await client.ps()) is not None
    with pytest.raises(ResponseError):
        await client.show("nope")
