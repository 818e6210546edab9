"""The object store of original bytes hangs: nobody waits for it but who needs it."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from evaluation.services.object_store import ObjectStore
from evaluation.services.shared import stalled
from tests.catalogues import on_postgres, url_of
from tests.integration.conftest import Server, StartServer

pytestmark = on_postgres

_SOON = 15.0  # seconds: less than an attempt to reach the store lasts
_PATIENCE = 120.0  # seconds until all is well again


@pytest.fixture
def objects() -> Iterator[ObjectStore]:
    with ObjectStore() as found:
        yield found


def kept(objects: ObjectStore) -> int:
    """How many original bytes there are."""
    place = objects.environment["AWS_ENDPOINT_URL"]
    listed = httpx.get(f"{place}/{objects.url.removeprefix('s3://')}", trust_env=False)
    return listed.raise_for_status().text.count("<Key>") - 1  # that whose they are


def test_a_deletion_that_hangs_stops_no_writer_and_no_search(
    start_server: StartServer, objects: ObjectStore, tmp_path: Path
) -> None:
    def start(name: str) -> Server:
        return start_server(
            FOOTNOTE_DATABASE_URL=url_of(tmp_path),
            FOOTNOTE_DATA=str(tmp_path / name),
            FOOTNOTE_BLOBS_URL=objects.url,
            **objects.environment,
        )

    one, other = start("one"), start("other")
    one.http.put("/kb/kb").raise_for_status()
    gone, stays = (
        one.http.post("/kb/kb/documents?wait=true", json={"uri": uri, "text": f"{uri} is hot."})
        for uri in ("tea", "coffee")
    )
    document = gone.raise_for_status().json()["jobs"][0]["document_id"]
    assert stays.raise_for_status().json()["jobs"][0]["state"] == "done"
    assert kept(objects) == 2
    with stalled(objects):
        one.http.delete(f"/kb/kb/documents/{document}").raise_for_status()
        began = time.monotonic()
        for number in range(20):
            other.http.put(f"/kb/other-{number}").raise_for_status()
        for server in (one, other):
            reply = server.http.post("/kb/kb/search", json={"query": "hot"}).raise_for_status()
            assert "tea" not in {hit["uri"] for hit in reply.json()["hits"]}
        assert time.monotonic() - began < _SOON
    until = time.monotonic() + _PATIENCE
    while kept(objects) > 1:
        assert time.monotonic() < until
        time.sleep(0.1)
