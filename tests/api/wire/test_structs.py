"""The texts are those of recorded replies; see the golden cases for many more."""

from typing import Any

import pytest

from api.wire.native import ChatRequest, CreateRequest, EmbedRequest, Message
from api.wire.refusals import Refusal
from api.wire.structs import decode

FIELD = "json: cannot unmarshal {} into Go struct field {} of type {}"


def refusal(struct: type[Any], body: str) -> str:
    with pytest.raises(Refusal) as caught:
        decode(struct, body.encode())
    assert caught.value.status == 400
    return caught.value.text


@pytest.mark.parametrize(
    ("body", "what", "where", "kind"),
    [
        ('{"model":5}', "number", "ChatRequest.model", "string"),
        ('{"model":["x"]}', "array", "ChatRequest.model", "string"),
        ('{"stream":"false"}', "string", "ChatRequest.stream", "bool"),
        ('{"options":"x"}', "string", "ChatRequest.options", "map[string]interface {}"),
        ('{"messages":{}}', "object", "ChatRequest.messages", "[]api.Message"),
        ('{"messages":[1]}', "number", "ChatRequest.messages", "api.Message"),
        ('{"messages":[{"content":["x"]}]}', "array", "ChatRequest.messages.content", "string"),
        ('{"top_logprobs":1.5}', "number 1.5", "ChatRequest.top_logprobs", "int"),
        ('{"top_logprobs":true}', "bool", "ChatRequest.top_logprobs", "int"),
    ],
)
def test_a_wrong_type_is_named_with_its_place(body: str, what: str, where: str, kind: str) -> None:
    assert refusal(ChatRequest, body) == FIELD.format(what, where, kind)


@pytest.mark.parametrize(
    ("images", "byte"), [("not base64!!", 3), ("data:image/png;base64,AAAA", 4), ("AAA", 3)]
)
def test_an_image_that_is_no_base64(images: str, byte: int) -> None:
    text = refusal(ChatRequest, f'{{"messages":[{{"images":["{images}"]}}]}}')
    assert text == f"illegal base64 data at input byte {byte}"


def test_tool_arguments_are_an_object() -> None:
    call = '{"messages":[{"tool_calls":[{"function":{"name":"f","arguments":%s}}]}]}'
    assert "can't find closing" in refusal(ChatRequest, call % '"{}"')
    message = decode(ChatRequest, (call % '{"a":1}').encode()).messages[0]
    assert message.tool_calls[0].function.arguments == {"a": 1}


@pytest.mark.parametrize("level", ["ultra", ""])
def test_levels_of_thinking(level: str) -> None:
    assert refusal(ChatRequest, f'{{"think":"{level}"}}').startswith(
        f'invalid think value: "{level}" (must be "high"'
    )
    assert refusal(ChatRequest, '{"think":5}').startswith("think must be a boolean or string")
    assert decode(ChatRequest, b'{"think":"max"}').think == "max"
    assert decode(ChatRequest, b'{"think":false}').think is False


def test_keys_are_matched_without_case_and_unknown_ones_ignored() -> None:
    asked = decode(EmbedRequest, b'{"MODEL":"a","Input":["x"],"nonsense":[{}],"model":"b"}')
    assert (asked.model, asked.input) == ("b", ["x"])


def test_null_is_absent_everywhere() -> None:
    assert decode(EmbedRequest, b"null") == EmbedRequest()
    nothing = b'{"model":null,"input":null,"truncate":null,"options":null,"keep_alive":null}'
    assert decode(EmbedRequest, nothing) == EmbedRequest()
    assert decode(ChatRequest, b'{"messages":[null,{"role":"user","content":null}]}').messages == (
        Message("user"),
    )


def test_a_word_of_python_can_be_a_key() -> None:
    assert decode(CreateRequest, b'{"from":"tiny","FROM":"big"}').source == "big"


def test_the_whole_must_be_an_object() -> None:
    assert refusal(ChatRequest, "[]") == (
        "json: cannot unmarshal array into Go value of type api.ChatRequest"
    )
    assert refusal(EmbedRequest, '"x"').endswith("string into Go value of type api.EmbedRequest")
