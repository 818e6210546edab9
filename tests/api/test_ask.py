import json
from itertools import pairwise
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from api.standin.faults import Fault, Kind
from api.standin.server import create_standin, running
from tests.api.conftest import SERVICE_TEXT, AddText, OpenClient
from tests.api.replies import JSON, assert_problem, events_of
from tests.upstream import answering

ANSWERED = [
    ("Are batteries covered for six months?", "Batteries are covered for six months."),
    ("运费险的理赔时限是几天?", "运费险的理赔时限是七天。"),
    ("When does the office serve tea?", "The office serves tea at four 🍵."),
]


@pytest.mark.parametrize(("question", "quote"), ANSWERED)
def test_every_quote_is_a_slice_of_the_text(shared: TestClient, question: str, quote: str) -> None:
    answer = _asked(shared, question)
    assert (answer["abstained"], answer["model"]) == (False, "extractive")
    assert answer["text"].startswith(f"{quote} [1]")
    assert answer["usage"]["used"] == len(answer["citations"])
    for citation in answer["citations"]:
        text = shared.get(f"/kb/kb/documents/{citation['document_id']}/text").text
        assert text[citation["start"] : citation["end"]] == citation["quote"]
        assert citation["verified"]
        assert f"[{citation['marker']}]" in answer["text"]


@pytest.mark.parametrize(
    ("question", "language"),
    [("Who painted the ceiling?", "nothing"), ("谁发明了电话?", "没有找到")],
)
def test_what_nothing_answers_is_not_answered(
    shared: TestClient, question: str, language: str
) -> None:
    answer = _asked(shared, question)
    assert answer["abstained"]
    assert answer["citations"] == []
    assert language in answer["text"]


def test_a_filter_keeps_documents_out_of_answers(shared: TestClient) -> None:
    question = ANSWERED[0][0]
    assert not _asked(shared, question, filter={"year": 2026})["abstained"]
    excluded = _asked(shared, question, filter={"year": 2025})
    assert (excluded["abstained"], excluded["hits"]) == (True, [])


@pytest.mark.parametrize("question", [*(q for q, _ in ANSWERED), "Who painted the ceiling?"])
def test_a_stream_says_the_same_as_the_answer(shared: TestClient, question: str) -> None:
    reply = shared.post("/kb/kb/ask", json={"question": question, "stream": True})
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = events_of(reply.text)
    names = [name for name, _ in events]
    assert (names[0], names[-1], names.count("done")) == ("token", "done", 1)
    done = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "token") == done["text"]
    assert [data for name, data in events if name == "citation"] == done["citations"]
    assert _steady(done) == _steady(_asked(shared, question))


def test_a_citation_follows_the_sentence_that_it_supports(
    client: TestClient, add_text: AddText
) -> None:
    add_text("The red pump starts at seven bar.", uri="1")
    add_text("Kestrel valves: the pump starts with a loud click 🍵 every morning.", uri="2")
    add_text("Lunch is at noon. Invoices go to the office.", uri="3")
    body = {"question": "How does the pump start?", "stream": True}
    events = events_of(client.post("/kb/kb/ask", json=body).text)
    marked = [
        (before[1]["text"].strip()[-3:], data["marker"])
        for before, (name, data) in pairwise(events)
        if name == "citation"
    ]
    assert marked == [("[1]", 1), ("[2]", 2)]
    tokens = [data["text"] for name, data in events if name == "token"]
    assert "".join(tokens) == events[-1][1]["text"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("{}", 422, "body.question"),
        ('{"question": ""}', 422, "empty"),
        ('{"question": "\\ud800"}', 422, "body.question"),
        ('{"question": "' + "字" * 20_001 + '"}', 422, "20000"),
        ('{"question": "a", "k": 101}', 422, "body.k"),
        ('{"question": "a", "stream": "perhaps"}', 422, "body.stream"),
        ('{"question": "a", "filter": {"a": "\\ud800"}}', 422, "Unicode"),
        ('{"question": "a", "stream": true, "filter": {"$": 1}}', 422, "operator"),
        ('{"question": "a", "hysteria": []}', 422, "body.hysteria"),
        ("[" * 100_000, 400, "parsing"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "backslashreplace").decode(),
)
def test_a_question_that_does_not_fit_is_refused(
    shared: TestClient, body: str, status: int, said: str
) -> None:
    assert_problem(shared.post("/kb/kb/ask", content=body, headers=JSON), status, said)


def _asked(client: TestClient, question: str, **more: Any) -> dict[str, Any]:
    reply = client.post("/kb/kb/ask", json={"question": question, **more})
    answer: dict[str, Any] = reply.raise_for_status().json()
    return answer


def _steady(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from one time to the next."""
    return {key: value for key, value in answer.items() if key != "timings"}


def test_a_question_may_point_back(shared: TestClient) -> None:
    history = [
        {"role": "user", "content": "How long is the warranty of the Kestrel?"},
        {"role": "assistant", "content": "Twenty-four months. [1]"},
    ]
    body = {"question": "And what about its batteries?", "history": history}
    assert "six months" in shared.post("/kb/kb/ask", json=body).json()["text"]


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"model": "nope"}, 422, "There is no chat model 'nope'"),
        ({"options": {"temperature": "hot"}}, 422, "must be of type float32"),
        ({"history": [{"role": "tool", "content": "x"}]}, 422, "body.history.0.role"),
        ({"history": [{"role": "user"}]}, 422, "body.history.0.content"),
    ],
)
def test_a_conversation_that_does_not_fit_is_refused(
    shared: TestClient, more: dict[str, Any], status: int, said: str
) -> None:
    assert_problem(shared.post("/kb/kb/ask", json={"question": "a", **more}), status, said)


def test_extractive_can_be_asked_for_by_name(shared: TestClient) -> None:
    body = {"question": "How long does the warranty of the Kestrel last?", "model": "extractive"}
    assert shared.post("/kb/kb/ask", json=body).json()["model"] == "extractive"


def test_a_chat_model_s_answer_that_is_none_is_an_error_in_streams_too(
    open_client: OpenClient,
) -> None:
    def answer(request: Request) -> Response:
        good = b'{"message":{"content":"Batteries "},"done":false}\n'
        return Response(good + b'{"message":5}' if request.url.path == "/api/chat" else b"{}")

    with running(answering(answer)) as upstream:
        client = open_client(ollama_host=upstream, chat_model="tiny")
        client.put("/kb/kb").raise_for_status()
        client.post("/kb/kb/documents?wait=true", json={"text": SERVICE_TEXT, "uri": "notes/1"})
        body = {"question": ANSWERED[0][0], "stream": True}
        events = events_of(client.post("/kb/kb/ask", json=body).text)
        assert [name for name, _ in events] == ["token", "error"]
        assert (events[-1][1]["status"], events[-1][1]["title"]) == (502, "ModelServerBroken")
        whole = client.post("/kb/kb/ask", json={**body, "stream": False})
        assert_problem(whole, 502, "'message' has a whole number where an object belongs")


def test_a_chat_model_s_stream_that_breaks_off_ends_with_an_error(
    open_client: OpenClient,
) -> None:
    plan: list[Fault] = []
    with running(create_standin(plan=plan)) as upstream:
        client = open_client(ollama_host=upstream, chat_model="tiny")
        client.put("/kb/kb").raise_for_status()
        text = {"text": SERVICE_TEXT, "uri": "notes/1"}
        client.post("/kb/kb/documents?wait=true", json=text).raise_for_status()
        body = {"question": "How long does the warranty of the Kestrel last?", "stream": True}
        plan.append(Fault(Kind.UNFINISHED, "/api/chat", after=2))
        events = client.post("/kb/kb/ask", json=body).text.strip().split("\n\n")
        assert events[-1].startswith("event: error\n")
        assert json.loads(events[-1].split("data: ")[1])["title"] == "ModelServerBroken"
        whole = client.post("/kb/kb/ask", json={**body, "stream": False})
        assert whole.json()["model"] == "tiny"
        plan.append(Fault(Kind.REFUSED, "/api/chat", status=404, text="model not found"))
        assert_problem(client.post("/kb/kb/ask", json={**body, "stream": False}), 502, "not found")
