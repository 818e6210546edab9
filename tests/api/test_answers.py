"""Stored answers over HTTP, whichever interface they were asked for by."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.standin.catalogue import default_models
from api.standin.server import create_standin, running
from api.wire.models import Completion
from tests.api.conftest import SERVICE_TEXT, AddText, OpenClient
from tests.api.replies import assert_problem, events_of

QUESTION = "How long does the warranty of the Kestrel last?"
TOLD = "The warranty of the Kestrel lasts twenty-four months."


@pytest.fixture
def storing(open_client: OpenClient) -> TestClient:
    """A client that has answers stored, with a text in `kb`."""
    return filled(open_client(store_answers=True))


@pytest.fixture
def chatting(open_client: OpenClient) -> Iterator[TestClient]:
    """The same before a chat model that says the same sentence to everybody."""

    def script(_completion: Completion) -> str:
        return TOLD

    with running(create_standin(default_models(script))) as upstream:
        yield filled(open_client(store_answers=True, ollama_host=upstream, chat_model="tiny"))


def filled(client: TestClient) -> TestClient:
    client.put("/kb/kb").raise_for_status()
    body = {"text": SERVICE_TEXT, "uri": "notes/1"}
    client.post("/kb/kb/documents?wait=true", json=body).raise_for_status()
    return client


def asked(client: TestClient, question: str = QUESTION, **more: Any) -> dict[str, Any]:
    reply = client.post("/kb/kb/ask", json={"question": question, **more})
    answer: dict[str, Any] = reply.raise_for_status().json()
    return answer


def listed(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/kb/kb/answers").raise_for_status().json()
    return found


def test_by_default_nothing_is_stored(client: TestClient, add_text: AddText) -> None:
    add_text()
    assert asked(client)["id"] is None
    assert listed(client) == {"total": 0, "answers": []}
    assert client.get("/info").json()["answers_stored"] is False


def test_an_answer_is_stored_listed_shown_and_forgotten(
    storing: TestClient, open_client: OpenClient
) -> None:
    first = asked(storing, k=3, filter={"uri": "notes/1"}, min_confidence=0.05)
    second = asked(storing, "Who painted the ceiling?")
    after = open_client()  # what is stored is there, whether more is or not
    found = listed(after)
    assert [one["id"] for one in found["answers"]] == [second["id"], first["id"]]
    assert (found["total"], found["answers"][0]["abstained"]) == (2, True)
    page = after.get("/kb/kb/answers?limit=1&offset=1").json()
    assert page == {"total": 2, "answers": found["answers"][1:]}
    shown = after.get(f"/kb/kb/answers/{first['id']}").json()
    assert shown["question"]["filter"] == {"uri": "notes/1"} and shown["question"]["k"] == 3
    assert shown["said"]["citations"] == first["citations"]
    scores = [(hit["document_id"], hit["start"], hit["score"]) for hit in first["hits"]]
    assert [(c["document_id"], c["start"], c["score"]) for c in shown["candidates"]] == scores
    assert (shown["prompt"], shown["digest"], shown["seed"]) == ([], "", None)
    assert after.delete(f"/kb/kb/answers/{first['id']}").status_code == 204
    assert_problem(after.get(f"/kb/kb/answers/{first['id']}"), 404, first["id"])
    assert_problem(after.delete(f"/kb/kb/answers/{first['id']}"), 404, first["id"])
    assert listed(after)["total"] == 1


def test_a_stream_tells_the_id_at_its_end(storing: TestClient) -> None:
    body = {"question": QUESTION, "stream": True}
    name, done = events_of(storing.post("/kb/kb/ask", json=body).text)[-1]
    assert name == "done"
    assert storing.get(f"/kb/kb/answers/{done['id']}").json()["said"]["text"] == done["text"]


def test_every_interface_s_answers_are_stored(chatting: TestClient) -> None:
    messages = {"model": "kb/kb", "messages": [{"role": "user", "content": QUESTION}]}
    for stream in (False, True):
        for path in ("/api/chat", "/v1/chat/completions"):
            reply = chatting.post(path, json={**messages, "stream": stream})
            assert reply.status_code == 200
    prompt = {"model": "kb/kb", "prompt": QUESTION, "stream": False}
    assert TOLD in chatting.post("/api/generate", json=prompt).json()["response"]
    asked(chatting)
    found = listed(chatting)
    assert found["total"] == 6
    assert {(one["question"], one["model"]) for one in found["answers"]} == {(QUESTION, "tiny")}


def test_a_prompt_is_stored_with_the_model_s_digest_and_a_seed(chatting: TestClient) -> None:
    answer = asked(chatting, options={"seed": 42})
    shown = chatting.get(f"/kb/kb/answers/{answer['id']}").json()
    [model] = [
        one for one in chatting.get("/api/tags").json()["models"] if one["name"] == "tiny:latest"
    ]
    assert (shown["model"], shown["digest"], shown["seed"]) == ("tiny", model["digest"], 42)
    assert [turn["role"] for turn in shown["prompt"]] == ["system", "user"]
    assert SERVICE_TEXT in shown["prompt"][1]["content"]


def test_a_replay_tells_what_differs(chatting: TestClient) -> None:
    answer = asked(chatting)
    call = f"/kb/kb/answers/{answer['id']}/replay"
    found = chatting.post(call).json()
    assert (found["same"], found["by_chat_model"], found["changes"]) == (True, True, [])
    assert found["now"]["prompt"] == chatting.get(call.removesuffix("/replay")).json()["prompt"]
    body = {"text": "The warranty of the Heron is short.", "uri": "notes/2"}
    chatting.post("/kb/kb/documents?wait=true", json=body).raise_for_status()
    found = chatting.post(call).json()
    assert not found["same"] and not found["candidates"]["same"] and not found["prompt"]["same"]
    assert [one["uri"] for one in found["candidates"]["came"]] == ["notes/2"]
    assert any("Heron" in line for line in found["prompt"]["diff"])
    assert listed(chatting)["total"] == 1


def test_an_answer_goes_with_its_document(storing: TestClient) -> None:
    answer = asked(storing)
    [document] = {hit["document_id"] for hit in answer["hits"]}
    storing.delete(f"/kb/kb/documents/{document}").raise_for_status()
    assert listed(storing) == {"total": 0, "answers": []}


@pytest.mark.parametrize("call", ["/kb/nope/answers", "/kb/kb/answers/nope"])
def test_what_is_not_there_is_told(shared: TestClient, call: str) -> None:
    assert_problem(shared.get(call), 404, "nope")


def test_a_replay_of_nothing_is_told(shared: TestClient) -> None:
    assert_problem(shared.post("/kb/kb/answers/nope/replay"), 404, "nope")
    assert_problem(shared.post("/kb/nope/answers/nope/replay"), 404, "nope")
