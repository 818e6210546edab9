"""The official Python client of OpenAI, as it comes from PyPI."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import openai
import pytest
from openai import OpenAI

from tests.clients.test_ollama_python import QUESTION, SCHEMA, WEATHER

ASKED: Any = QUESTION
TOOLS: Any = [WEATHER]


@pytest.fixture
def client(server: str) -> Iterator[OpenAI]:
    with OpenAI(
        base_url=f"{server}/v1",
        api_key="unused",
        max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False),
    ) as opened:
        yield opened


def test_models(client: OpenAI) -> None:
    ids = [model.id for model in client.models.list()]
    assert {"kb/docs:latest", "all-minilm:latest", "tiny:latest"} <= set(ids)
    assert client.models.retrieve("kb/docs").id == "kb/docs"
    assert client.models.retrieve("tiny").object == "model"


def test_embeddings_are_the_same_in_both_encodings(client: OpenAI) -> None:
    packed = client.embeddings.create(model="all-minilm", input=["hello world", "猫"])
    plain = client.embeddings.create(
        model="all-minilm", input="hello world", encoding_format="float", dimensions=16
    )
    assert packed.usage.prompt_tokens == plain.usage.prompt_tokens + 3
    assert len(packed.data[0].embedding) == 384
    first = np.asarray(packed.data[0].embedding[:16])
    assert np.allclose(plain.data[0].embedding, first / np.linalg.norm(first), atol=1e-5)


def test_a_chat_has_annotations(client: OpenAI) -> None:
    reply = client.chat.completions.create(model="kb/docs", messages=ASKED)
    (choice,) = reply.choices
    content = choice.message.content or ""
    assert content.startswith("The warranty of the Kestrel lasts twenty-four months. [1]")
    (annotation,) = choice.message.annotations or []
    cited = annotation.url_citation
    assert content[cited.start_index : cited.end_index].endswith("[1]")
    assert cited.title == "Kestrel" and cited.url.startswith("http")
    assert choice.finish_reason == "stop" and reply.usage and reply.usage.total_tokens


def test_a_streamed_chat_has_the_same_content_and_the_usage(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="kb/docs", messages=ASKED)
    chunks = list(
        client.chat.completions.create(
            model="kb/docs", messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage and chunks[-1].choices == []
    last: Any = chunks[-2].choices[0].delta
    assert last.annotations[0]["url_citation"]["title"] == "Kestrel"


def test_completions(client: OpenAI) -> None:
    prompt = QUESTION[0]["content"]
    assert "[1]" in client.completions.create(model="kb/docs", prompt=prompt).choices[0].text
    chunks = list(client.completions.create(model="tiny", prompt="hi", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "You said: hi"


def test_responses(client: OpenAI) -> None:
    reply = client.responses.create(model="kb/docs", input=QUESTION[0]["content"])
    assert reply.output_text.startswith("The warranty of the Kestrel")
    message: Any = reply.output[0]
    assert message.content[0].annotations[0].type == "url_citation"
    events = list(
        client.responses.create(model="kb/docs", input=ASKED, instructions="Be brief.", stream=True)
    )
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
    assert "response.output_text.annotation.added" in kinds
    assert [event.sequence_number for event in events] == list(range(len(events)))
    with client.responses.stream(model="tiny", input="hi") as stream:
        assert stream.get_final_response().output_text == "You said: hi"


def test_tools_and_formats_are_passed_on(client: OpenAI) -> None:
    reply = client.chat.completions.create(model="tiny-tools", messages=ASKED, tools=TOOLS)
    (call,) = reply.choices[0].message.tool_calls or []
    assert call.type == "function" and call.function.arguments == '{"city": "text"}'
    assert reply.choices[0].finish_reason == "tool_calls"
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    structured = client.chat.completions.create(
        model="tiny",
        messages=ASKED,
        response_format=wanted,
    )
    assert structured.choices[0].message.content == '{"a":1}'


FAULTS: list[tuple[str, Callable[[OpenAI], Any], type[openai.APIStatusError], str]] = [
    (
        "unknown kb",
        lambda c: c.chat.completions.create(model="kb/nope", messages=ASKED),
        openai.NotFoundError,
        "model 'kb/nope' not found",
    ),
    (
        "unknown",
        lambda c: c.chat.completions.create(model="nope", messages=ASKED),
        openai.NotFoundError,
        "not found",
    ),
    ("unknown model", lambda c: c.models.retrieve("kb/nope"), openai.NotFoundError, "not found"),
    (
        "no messages",
        lambda c: c.chat.completions.create(model="kb/docs", messages=[]),
        openai.BadRequestError,
        "too short",
    ),
    (
        "token arrays",
        lambda c: c.embeddings.create(model="all-minilm", input=[1, 2]),
        openai.BadRequestError,
        "tokens of another vocabulary",
    ),
    (
        "tools",
        lambda c: c.chat.completions.create(model="kb/docs", messages=ASKED, tools=TOOLS),
        openai.BadRequestError,
        "tools",
    ),
    (
        "chat by embedder",
        lambda c: c.chat.completions.create(model="all-minilm", messages=ASKED),
        openai.BadRequestError,
        "does not support chat",
    ),
    (
        "format",
        lambda c: c.chat.completions.create(
            model="kb/docs", messages=ASKED, response_format={"type": "json_object"}
        ),
        openai.BadRequestError,
        "format",
    ),
    (
        "response",
        lambda c: c.responses.create(model="kb/nope", input="x"),
        openai.NotFoundError,
        "not found",
    ),
    (
        "empty response",
        lambda c: c.responses.create(model="kb/docs", input=[]),
        openai.BadRequestError,
        "nothing to answer",
    ),
]


@pytest.mark.parametrize(
    ("call", "kind", "text"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_every_error_is_one_that_the_client_understands(
    client: OpenAI, call: Callable[[OpenAI], Any], kind: type[openai.APIStatusError], text: str
) -> None:
    with pytest.raises(kind) as caught:
        call(client)
    assert text in caught.value.message
