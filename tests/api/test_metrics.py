"""Prometheus gets what was asked, embedded, answered and ingested, and what there is."""

import re

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.version import VERSION
from tests import catalogues, shared_stores
from tests.api.conftest import SERVICE_TEXT, AddText
from tests.api.replies import upload


def sample(text: str, name: str, **labels: str) -> float:
    found = [
        one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name == name and labels.items() <= one.labels.items()
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


def test_what_was_embedded_is_counted(client: TestClient) -> None:
    before = client.get("/metrics")
    assert before.headers["content-type"].startswith("text/plain")
    counted = sample(before.text, "footnote_embedding_texts_total", lane="call")
    client.post("/api/embed", json={"model": "hashing", "input": ["one two", "three"]})
    after = client.get("/metrics").text
    assert sample(after, "footnote_embedding_texts_total", lane="call") == counted + 2
    assert sample(after, "footnote_embedding_tokens_total", lane="call") == 7
    assert sample(after, "footnote_embedding_padding_ratio", lane="call") == 8 / 7
    assert sample(after, "footnote_embedding_waiting_texts", lane="document") == 0
    assert sample(after, "footnote_embedding_batch_tokens_bucket", lane="call", le="16.0") == 1
    assert sample(after, "footnote_embedding_batch_tokens_bucket", lane="call", le="+Inf") == 1
    assert re.search(r'model="hashing"', after)


def test_each_reply_tells_what_took_how_long(client: TestClient) -> None:
    for path, body in (
        ("/api/embed", {"input": ["one two", "three"]}),
        ("/api/embeddings", {"prompt": "one two three"}),
        ("/v1/embeddings", {"input": ["one two", "three"]}),
    ):
        headers = client.post(path, json={"model": "hashing", **body}).headers
        times = ("x-tokenization-time", "x-queue-time", "x-inference-time")
        parts = [float(headers[name]) for name in times]
        assert all(part >= 0 for part in parts)
        assert sum(parts) <= float(headers["x-total-time"])
        assert int(headers["x-compute-tokens"]) in (5, 7)


def _series(client: TestClient) -> set[tuple[str, str]]:
    return {
        (one.name, str(sorted(one.labels.items())))
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for one in family.samples
    }


def test_requests_are_counted_by_route_and_never_by_path(client: TestClient) -> None:
    assert client.get("/kb/kb").status_code == 200
    assert client.get("/kb/other").status_code == 404
    assert client.get("/v1/models/kb/kb").status_code == 200
    told = client.get("/metrics").text
    count, time = "footnote_http_requests_total", "footnote_http_request_duration_seconds_count"
    assert sample(told, count, route="/kb/{kb}", method="GET", status="200") == 1
    assert sample(told, count, route="/kb/{kb}", method="GET", status="404") == 1
    assert sample(told, count, route="/v1/models/{id*}", status="200") == 1
    assert sample(told, time, route="/kb/{kb}", method="GET") == 2
    assert sample(told, "footnote_http_requests_under_way") == 1  # the one that asks


def test_nobody_makes_series_by_asking_for_things(client: TestClient) -> None:
    def ask(name: str) -> None:
        client.get(f"/kb/{name}")
        client.get(f"/{name}")
        client.get(f"/web/{name}.js")
        client.request(name.upper(), "/kb")
        client.post("/api/chat", json={"model": f"kb/{name}", "messages": []})
        client.get(f"/v1/{name}")
        client.post(f"/kb/kb/{name}", json={"query": name})
        client.post("/kb/kb/search", json={"query": name, "mode": name})
        client.put(f"/kb/{name}")
        client.post(f"/kb/{name}/search", json={"query": "tea"})

    ask("one")
    client.get("/metrics")
    before = _series(client)
    for name in ("two", "three", "four"):
        ask(name)
    assert _series(client) == before
    assert not any("one" in labels.replace("None", "") for _, labels in before)


def test_searches_are_timed_by_leg_and_stage(client: TestClient, add_text: AddText) -> None:
    add_text()
    before = client.get("/metrics").text
    client.post("/kb/kb/search", json={"query": "tea"})
    client.post("/kb/kb/search", json={"query": "tea", "mode": "lexical", "filter": {"a": 1}})
    told, count = client.get("/metrics").text, "footnote_search_stage_duration_seconds_count"
    for stage, times in {"embed": 1, "dense": 1, "lexical": 1, "hydrate": 2, "scope": 1}.items():
        was = _value(before, count, stage=stage)
        assert _value(told, count, stage=stage) - was == times, stage
    assert sample(told, "footnote_search_duration_seconds_count", mode="hybrid") == 1
    assert sample(told, "footnote_search_duration_seconds_count", mode="lexical") == 1


def test_answers_are_counted_by_how_they_end(client: TestClient, add_text: AddText) -> None:
    add_text()
    ask = {"question": "How long does the warranty of the Kestrel last?"}
    answer = client.post("/kb/kb/ask", json=ask).json()
    client.post("/kb/kb/ask", json={**ask, "min_confidence": 1.0})
    told = client.get("/metrics").text
    for outcome in ("answered", "abstained"):
        assert sample(told, "footnote_answers_total", by="quotes", outcome=outcome) == 1
    verified = sample(told, "footnote_answer_statements_total", outcome="verified")
    assert verified == len(answer["statements"]) > 0
    assert sample(told, "footnote_answer_stage_duration_seconds_count", stage="draft") == 2
    assert sample(told, "footnote_answer_duration_seconds_count", by="quotes") == 2


def test_ingestion_is_counted_by_stage_and_outcome(client: TestClient, add_text: AddText) -> None:
    add_text()
    add_text()
    reply = upload(client, b"%PDF-1.7\n1 0 obj\n<<", b'name="files"; filename="a.pdf"')
    assert reply.json()["jobs"][0]["state"] == "failed"
    told = client.get("/metrics").text
    for outcome in ("added", "unchanged", "failed"):
        assert sample(told, "footnote_ingested_documents_total", outcome=outcome) == 1
    stages = {"parsing": 2, "chunking": 1, "embedding": 1, "writing": 1}
    for stage, times in stages.items():
        name = "footnote_ingest_stage_duration_seconds_count"
        assert sample(told, name, stage=stage) == times, stage
    assert sample(told, "footnote_jobs", state="queued") == 0


def test_what_there_is_is_told(client: TestClient, add_text: AddText) -> None:
    add_text()
    told = client.get("/metrics").text
    assert sample(told, "footnote_documents") == sample(told, "footnote_knowledge_bases") == 1
    assert sample(told, "footnote_original_bytes") == len(SERVICE_TEXT.encode())
    at_servers = {"chroma": shared_stores.SERVER, "lexical": catalogues.SERVER}
    for store in ("catalogue", "chroma", "lexical"):
        here = not at_servers.get(store)
        assert (sample(told, "footnote_store_bytes", store=store) > 0) == here, store
    assert sample(told, "footnote_disk_free_bytes") > 0
    assert sample(told, "process_resident_memory_bytes") > 0
    assert sample(told, "footnote_info", version=VERSION) == 1


def _value(text: str, name: str, **labels: str) -> float:
    """0 where nothing of the kind was counted yet."""
    return sample(text, name, **labels) if f'{name}{{stage="{labels["stage"]}"' in text else 0.0
