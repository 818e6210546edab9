"""Evaluations through a running server."""

import threading
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from sqlalchemy import select, update
from starlette.testclient import TestClient

from api.service import Service
from retrieval.schema import evaluations
from retrieval.search import Found, Query
from retrieval.types import KnowledgeBase
from tests.api.conftest import AddText, OpenClient
from tests.api.replies import assert_problem

SHIPPING = "退货产生的运费一律由卖家承担，买家无需支付。运费险的理赔时限是七天，逾期不予受理。"
KESTREL = "The warranty of the Kestrel lasts two years. Its batteries are covered for half of that."
ASKED: dict[str, Any] = {
    "source": "questions",
    "questions": [
        {"question": "运费险的理赔时限", "document": "运费", "start": 21, "end": 41},
        {"question": "warranty of the Kestrel", "document": "运费"},
    ],
}


@pytest.fixture
def texts(add_text: AddText) -> dict[str, str]:
    """Two documents of two sentences each, and their ids by uri."""
    return {uri: add_text(text, uri) for uri, text in (("运费", SHIPPING), ("kestrel", KESTREL))}


def service_of(client: TestClient) -> Service:
    found: Service = client.app.state.service  # type: ignore[attr-defined]
    return found


def followed(client: TestClient, body: dict[str, Any]) -> dict[str, Any]:
    begun = client.post("/kb/kb/evaluation", json=body)
    assert begun.status_code == 202, begun.text
    assert begun.json()["state"] == "waiting"
    service_of(client).evaluator.wait("kb")
    status: dict[str, Any] = client.get("/kb/kb/evaluation").json()
    return status


def metrics(result: dict[str, Any], metric: str) -> list[float]:
    return [run["metrics"][metric]["mean"] for run in result["runs"]]


def test_questions_that_are_given_are_measured(client: TestClient, texts: dict[str, str]) -> None:
    assert client.get("/kb/kb/evaluation").json() == {
        **{"state": "none", "source": None, "step": "", "error": "", "result": None},
        **{"done": 0, "total": 0},
    }
    assert_problem(client.get("/kb/kb/evaluation/report"), 404, "POST /kb/kb/evaluation")
    status = followed(client, ASKED)
    assert (status["state"], status["source"], status["error"]) == ("done", "questions", "")
    assert (status["step"], status["done"], status["total"]) == ("hybrid", 2, 2)
    result = status["result"]
    assert (result["questions"], result["documents"]) == (2, 2)
    assert [run["name"] for run in result["runs"]] == ["dense", "lexical", "hybrid"]
    assert metrics(result, "hit@1") == [0.5, 0.5, 0.5]
    assert metrics(result, "span recall@5") == [1.0, 1.0, 1.0]
    interval = result["runs"][0]["metrics"]["hit@1"]
    assert interval["low"] <= interval["mean"] <= interval["high"]
    names = [(one["name"], one["baseline"], one["metric"]) for one in result["comparisons"]]
    assert names == [("lexical", "dense", "nDCG@10"), ("hybrid", "dense", "nDCG@10")]
    assert all(0 < one["p"] <= 1 for one in result["comparisons"])


def test_the_report_is_a_page_that_asks_for_nothing(
    client: TestClient, texts: dict[str, str]
) -> None:
    followed(client, ASKED)
    reply = client.get("/kb/kb/evaluation/report")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    page = html.fromstring(reply.text).text_content()
    assert "kb, questions" in page
    assert "退货产生的运费一律由卖家承担" in page  # what the second question should have found


def test_feedback_is_measured_by(client: TestClient, texts: dict[str, str]) -> None:
    failed = followed(client, {"source": "feedback"})
    assert (failed["state"], failed["result"]) == ("failed", None)
    assert "No feedback on 'kb'" in failed["error"]
    said = {"question": "运费险多久理赔？", "document": "运费", "helpful": True}
    client.post("/kb/kb/feedback", json=said).raise_for_status()
    done = followed(client, {"source": "feedback"})
    assert (done["state"], done["result"]["questions"]) == ("done", 1)
    assert "favours" in done["result"]["note"]


def test_sentences_of_the_text_are_measured_by(client: TestClient, texts: dict[str, str]) -> None:
    done = followed(client, {"source": "generated", "count": 3})
    assert (done["state"], done["result"]["questions"]) == ("done", 3)
    assert "People don't ask like that" in done["result"]["note"]


@pytest.mark.parametrize("text", [None, "Too short."])
def test_too_little_text_is_a_reason(
    client: TestClient, add_text: AddText, text: str | None
) -> None:
    if text:
        add_text(text)
    failed = followed(client, {"source": "generated"})
    assert failed["state"] == "failed"
    assert "too little text" in failed["error"]


def test_what_fails_takes_nothing_from_what_was_measured_before(
    client: TestClient, texts: dict[str, str]
) -> None:
    before = followed(client, ASKED)["result"]
    gone = {"source": "questions", "questions": [{"question": "a", "document": "gone"}]}
    failed = followed(client, gone)
    assert failed["error"] == "Question 1: Knowledge base 'kb' has no document 'gone'."
    assert (failed["state"], failed["result"]) == ("failed", before)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"source": "questions"}, "if they are the source"),
        ({**ASKED, "source": "feedback"}, "if they are the source"),
        ({"source": "generated", "count": 0}, "body.count"),
        ({"source": "rumours"}, "body.source"),
    ],
)
def test_what_does_not_fit_is_refused(
    shared: TestClient, body: dict[str, Any], message: str
) -> None:
    assert_problem(shared.post("/kb/kb/evaluation", json=body), 422, message)
    assert_problem(shared.post("/kb/no/evaluation", json={"source": "feedback"}), 404, "'no'")
    assert_problem(shared.get("/kb/no/evaluation"), 404, "'no'")


class Held:
    """A search that waits in its first question until it is let go."""

    def __init__(self, service: Service) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self._search = service.engine.searcher.search
        service.engine.searcher.search = self  # type: ignore[method-assign,assignment]

    def __call__(self, kb: KnowledgeBase, query: Query, *, pinned: bool) -> Found:
        self.begun.set()
        assert self.go.wait(30)
        return self._search(kb, query, pinned=pinned)


def test_a_knowledge_base_is_evaluated_once_at_a_time(
    client: TestClient, service: Service, texts: dict[str, str]
) -> None:
    client.put("/kb/other").raise_for_status()
    held = Held(service)
    client.post("/kb/kb/evaluation", json=ASKED).raise_for_status()
    assert held.begun.wait(30)
    second = client.post("/kb/kb/evaluation", json=ASKED)
    assert_problem(second, 422, "'kb' is being evaluated")
    client.post("/kb/other/evaluation", json={"source": "feedback"}).raise_for_status()
    assert client.get("/kb/other/evaluation").json()["state"] == "waiting"
    measuring = client.get("/kb/kb/evaluation").json()
    assert (measuring["state"], measuring["step"]) == ("measuring", "dense")
    assert (measuring["done"], measuring["total"]) == (0, 2)
    held.go.set()
    service.evaluator.wait("kb")
    service.evaluator.wait("other")
    assert client.get("/kb/kb/evaluation").json()["state"] == "done"
    assert client.get("/kb/other/evaluation").json()["state"] == "failed"


def test_closing_stops_it_and_the_one_that_waits(
    client: TestClient, service: Service, texts: dict[str, str]
) -> None:
    client.put("/kb/other").raise_for_status()
    held = Held(service)
    client.post("/kb/kb/evaluation", json=ASKED).raise_for_status()
    assert held.begun.wait(30)
    client.post("/kb/other/evaluation", json={"source": "generated"}).raise_for_status()
    closing = threading.Thread(target=service.evaluator.close)
    closing.start()
    assert service.evaluator._background._closing.wait(30)
    held.go.set()
    closing.join()
    for name in ("kb", "other"):
        status = service.evaluator.status(name)
        assert status and status.state == "stopped"


def test_the_last_one_survives_a_restart(
    client: TestClient, texts: dict[str, str], open_client: OpenClient
) -> None:
    before = followed(client, ASKED)
    page = client.get("/kb/kb/evaluation/report").text
    after = open_client()
    status = after.get("/kb/kb/evaluation").json()
    assert (status["state"], status["source"]) == ("done", "questions")
    assert status["result"] == before["result"]
    assert after.get("/kb/kb/evaluation/report").text == page


def kept(client: TestClient) -> str:
    """All that is kept of evaluations, as it is written."""
    with service_of(client).engine.database.read() as connection:
        return "".join(str(tuple(row)) for row in connection.execute(select(evaluations)))


def test_it_goes_with_its_knowledge_base(client: TestClient, texts: dict[str, str]) -> None:
    followed(client, ASKED)
    assert "hybrid" in kept(client)
    client.delete("/kb/kb").raise_for_status()
    assert kept(client) == ""
    client.put("/kb/kb").raise_for_status()
    assert client.get("/kb/kb/evaluation").json()["state"] == "none"


def test_it_goes_with_a_document_whose_text_its_report_has(
    client: TestClient, texts: dict[str, str], add_text: AddText
) -> None:
    right = {**ASKED, "questions": ASKED["questions"][:1]}  # no failure, so no text
    followed(client, right)
    client.delete(f"/kb/kb/documents/{texts['kestrel']}").raise_for_status()
    assert client.get("/kb/kb/evaluation").json()["result"]["questions"] == 1
    add_text(KESTREL, "kestrel")
    followed(client, ASKED)
    assert "Its batteries are covered" in kept(client)
    client.delete(f"/kb/kb/documents/{texts['kestrel']}").raise_for_status()
    assert kept(client) == ""
    assert client.get("/kb/kb/evaluation").json()["result"] is None


def test_it_goes_at_the_next_start_where_a_document_went_without_a_request(
    client: TestClient, service: Service, texts: dict[str, str], open_client: OpenClient
) -> None:
    followed(client, ASKED)
    service.engine.indexer.remove(service.engine.open("kb"), texts["kestrel"])
    assert kept(client) != ""
    assert kept(open_client()) == ""


def test_one_that_is_deleted_meanwhile_leaves_nothing(
    client: TestClient, service: Service, texts: dict[str, str]
) -> None:
    kb = service.engine.open("kb")
    held = Held(service)
    client.post("/kb/kb/evaluation", json=ASKED).raise_for_status()
    assert held.begun.wait(30)
    client.delete("/kb/kb").raise_for_status()
    held.go.set()
    service.evaluator._background._threads[kb.id].join()
    assert service.evaluator._background._doing[kb.id].standing.state == "failed"
    assert kept(client) == ""


def test_what_another_version_wrote_is_no_evaluation(
    client: TestClient, service: Service, texts: dict[str, str]
) -> None:
    followed(client, ASKED)
    with service.engine.database.write() as connection:
        connection.execute(update(evaluations).values(evaluation={}))
    assert client.get("/kb/kb/evaluation").json()["result"] is None
    assert_problem(client.get("/kb/kb/evaluation/report"), 404, "hasn't been evaluated")
    assert followed(client, ASKED)["result"]


def test_what_earlier_versions_kept_in_files_is_moved_in(
    client: TestClient,
    service: Service,
    texts: dict[str, str],
    open_client: OpenClient,
    tmp_path: Path,
) -> None:
    before = followed(client, ASKED)
    kb = service.engine.open("kb")
    last = service.evaluator.review(kb)
    assert last
    folder = tmp_path / "data" / "evaluation" / "kb"
    for name, written in ((kb.id, last.model_dump_json()), ("gone", "{}"), ("0" * 32, "")):
        (folder / name).mkdir(parents=True)
        (folder / name / "last.json").write_text(written or last.model_dump_json())
    service.evaluator.forget(kb)
    after = open_client()
    assert after.get("/kb/kb/evaluation").json()["result"] == before["result"]
    assert not folder.exists()


def test_a_question_without_an_answer_in_reach_is_no_error(
    client: TestClient, texts: dict[str, str]
) -> None:
    body = {"source": "questions", "questions": [{"question": "zzz", "document": "kestrel"}]}
    assert followed(client, body)["result"]["runs"][1]["metrics"]["hit@1"]["mean"] == 0.0


def test_a_document_that_goes_while_the_report_is_made_isnt_in_one(
    client: TestClient, service: Service, texts: dict[str, str]
) -> None:
    held = Held(service)
    client.post("/kb/kb/evaluation", json=ASKED).raise_for_status()
    assert held.begun.wait(30)
    client.delete(f"/kb/kb/documents/{texts['运费']}").raise_for_status()
    held.go.set()
    status = service.evaluator.wait("kb")
    assert status
    assert status.state == "failed"
    assert "was deleted while it was made" in status.error
    assert kept(client) == ""
