"""An object store of original bytes that is gone while Footnote serves."""

from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256

import pytest
from structlog.testing import capture_logs

from evaluation.services.object_store import ObjectStore
from tests.api.conftest import OpenClient

_TEXT = "Tea is at four."


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ObjectStore, ExitStack]]:
    """One that runs until the stack is closed."""
    with ExitStack() as running:
        store = running.enter_context(ObjectStore())
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        yield store, running


def test_clients_are_told_to_come_back_and_the_log_where_it_is(
    open_client: OpenClient, objects: tuple[ObjectStore, ExitStack]
) -> None:
    store, running = objects
    client = open_client(blobs_url=store.url)
    client.put("/kb/kb").raise_for_status()
    sent = client.post("/kb/kb/documents?wait=true", json={"text": _TEXT, "uri": "tea"})
    [job] = sent.raise_for_status().json()["jobs"]
    running.close()
    with capture_logs() as logged:
        original = client.get(f"/kb/kb/documents/{job['document_id']}/original")
        again = client.post("/kb/kb/documents", json={"text": "Coffee is at five.", "uri": "c"})
    place = store.environment["AWS_ENDPOINT_URL"]
    for refused in (original, again):
        assert (refused.status_code, refused.json()["title"]) == (503, "StoreUnavailable")
        assert "Try again in a moment" in refused.json()["detail"]
    [failed] = [job for job in client.get("/jobs").json()["jobs"] if job["uri"] == "c"]
    assert failed["error"]["message"] == again.json()["detail"]
    digest = sha256(_TEXT.encode()).hexdigest()
    told = [original.text, again.text, failed["error"]["message"]]
    for secret in (place.rpartition(":")[2], "127.0.0.1", store.url, digest):
        assert not any(secret in text for text in told), (secret, told)
    assert any(store.url in entry.get("store", "") for entry in logged)
    assert any(place in entry.get("error", "") for entry in logged)
