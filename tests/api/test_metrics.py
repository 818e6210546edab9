"""Prometheus gets what was embedded, by lane."""

import re

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient


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
