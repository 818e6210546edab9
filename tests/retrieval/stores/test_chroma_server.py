"""The same contract against a real Chroma server, and what only a server can do to us."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from evaluation.services.chroma import ChromaServer
from retrieval.errors import StoreUnavailable
from retrieval.stores import reconnecting
from retrieval.stores.chroma import ChromaVectorStore, ChromaVectorStores
from retrieval.stores.chroma_settings import ChromaSettings
from tests.contracts.vector_store import NewVectorStore, VectorStoreContract, unit_vectors
from tests.retrieval.stores.chroma_proxy import Proxy, make_certificate, serving


@pytest.fixture
def settings(chroma_url: str) -> ChromaSettings:
    """A database of the test's own, which isn't there yet."""
    return ChromaSettings(chroma_url, database=f"test-{uuid4().hex}")


@pytest.fixture
def stores(settings: ChromaSettings) -> Iterator[ChromaVectorStores]:
    opened = ChromaVectorStores.at_server(settings)
    yield opened
    opened.close()


class TestChromaVectorStoreAtAServer(VectorStoreContract):
    exact = False

    @pytest.fixture
    def new_store(self, stores: ChromaVectorStores) -> NewVectorStore:
        numbers = count()
        return lambda: stores.open(f"store-{next(numbers)}")


def test_all_stores_are_listed(stores: ChromaVectorStores) -> None:
    names = [f"many-{n:03}" for n in range(120)]
    for name in names:
        stores.open(name)
    assert stores.names() == names


def test_what_is_written_in_several_slices_is_all_there(stores: ChromaVectorStores) -> None:
    store, vectors = stores.open("store"), unit_vectors(4_001)
    ids = [f"chunk-{n:04}" for n in range(4_001)]
    store.upsert(ids, vectors, ["d"] * 4_001)
    assert store.ids() == {*ids}
    found = store.vectors(ids[::400])
    assert all(
        found[id_] == pytest.approx(vectors[n * 400], abs=1e-5) for n, id_ in enumerate(ids[::400])
    )
    store.delete(ids[1:])
    assert store.ids() == {ids[0]}


@pytest.mark.parametrize("rows", [1, 1_000])
def test_who_reads_while_the_first_rows_are_written_is_told_no_failure(
    stores: ChromaVectorStores, rows: int
) -> None:
    vectors, ids = unit_vectors(rows, dimension=384), [f"chunk-{n}" for n in range(rows)]

    def read(store: ChromaVectorStore, written: threading.Event) -> None:
        last = False
        while not last:
            last = written.is_set()
            nearest = [hit.id for hit in store.query(vectors[0], 1)]
            assert nearest == ids[:1] or not last  # until then among those that are there
            found = [*store.vectors(ids[:1])]
            assert found == ids[:1] or not (found or last)

    for number in range(5):
        store, written = stores.open(f"store-{number}"), threading.Event()
        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read, store, written) for _ in range(4)]
            store.upsert(ids, vectors, ["d"] * rows)
            written.set()
            for reader in readers:
                reader.result()


def test_tenants_and_databases_are_made_and_kept_apart(settings: ChromaSettings) -> None:
    other = replace(settings, tenant=f"tenant-{uuid4().hex}")
    first, second = (ChromaVectorStores.at_server(one) for one in (settings, other))
    first.open("store")
    assert (first.names(), second.names()) == (["store"], [])
    again = ChromaVectorStores.at_server(settings)
    assert again.names() == ["store"]
    for stores in (first, second, again):
        stores.close()


def test_who_claims_a_database_first_has_it(settings: ChromaSettings) -> None:
    first, second = (ChromaVectorStores.at_server(settings) for _ in range(2))
    assert second.owner() is None
    assert first.claim("one") == "one"
    assert (second.claim("two"), second.owner()) == ("one", "one")
    assert first.names() == []
    first.close()
    second.close()


def test_a_server_that_is_started_again_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnecting, "_PATIENCE", 60.0)  # of a busy machine
    server, vectors = ChromaServer(tmp_path), unit_vectors(2)
    server.start()
    stores = ChromaVectorStores.at_server(ChromaSettings(server.url))
    store = stores.open("store")
    store.upsert(["a"], vectors[:1], ["d"])
    server.stop()
    back = threading.Timer(0.3, server.start)
    back.start()
    store.upsert(["b"], vectors[1:], ["d"])
    assert store.ids() == {"a", "b"}
    back.join()
    stores.close()
    server.stop()


def test_a_server_that_stays_away_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ChromaServer(tmp_path)
    server.start()
    stores = ChromaVectorStores.at_server(ChromaSettings(server.url))
    store = stores.open("store")
    server.stop()
    pauses: list[float] = []
    monkeypatch.setattr(reconnecting, "_PATIENCE", 0.35)
    monkeypatch.setattr("retrieval.stores.reconnecting.time.sleep", pauses.append)
    monkeypatch.setattr("retrieval.stores.reconnecting.time.monotonic", lambda: sum(pauses))
    for _ in range(2):
        with (
            capture_logs() as logged,
            pytest.raises(StoreUnavailable, match=r"server failed\. Try again.*log") as refused,
        ):
            store.query(unit_vectors(1)[0], 1)
        assert [(told["event"], told["store"]) for told in logged] == [("store_failed", server.url)]
        assert "refused" in logged[0]["error"]
        assert not re.search(r"127\.0|http|\d{4}", str(refused.value))
    assert pauses == [0.1, 0.2]
    stores.close()


def test_a_proxy_is_told_the_token_by_tls(
    chroma_url: str,
    settings: ChromaSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(reconnecting, "_PATIENCE", 0.0)
    certificate = make_certificate(tmp_path / "certificate.pem")
    with serving(Proxy(chroma_url, token="a-secret"), certificate) as url:
        told = replace(settings, url=url, token="a-secret")
        with pytest.raises(StoreUnavailable, match="certificate"):
            ChromaVectorStores.at_server(told)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        stores = ChromaVectorStores.at_server(told)
        store = stores.open("store")
        store.upsert(["a"], unit_vectors(1), ["d"])
        assert store.ids() == {"a"}
        stores.close()
        for token in ("", "another-secret"):
            with pytest.raises(StoreUnavailable, match=r"401.*FOOTNOTE_CHROMA_TOKEN") as refused:
                ChromaVectorStores.at_server(replace(told, token=token))
            assert "secret" not in str(refused.value)
    assert "secret" not in repr(told)
    assert "secret" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ((200, '"0.6.3"'), r"version 0.6.3; 1.0 or newer is needed"),
        ((200, "<html>Hello</html>"), "no Chroma server, or one older"),
        ((404, '{"detail":"Not Found"}'), "no Chroma server, or one older"),
    ],
)
def test_what_is_no_chroma_server_or_an_old_one_is_told(
    chroma_url: str, settings: ChromaSettings, version: tuple[int, str], says: str
) -> None:
    proxy = Proxy(chroma_url, said={("GET", "/version"): version})
    with serving(proxy) as url, pytest.raises(StoreUnavailable, match=says):
        ChromaVectorStores.at_server(replace(settings, url=url))


@pytest.mark.parametrize(("path", "what"), [("/tenants", "tenant"), ("/databases", "database")])
def test_what_may_not_be_made_is_told(
    chroma_url: str, settings: ChromaSettings, path: str, what: str
) -> None:
    proxy = Proxy(chroma_url, said={("POST", path): (403, "no")})
    other = replace(settings, tenant=f"tenant-{uuid4().hex}")
    with serving(proxy) as url, pytest.raises(StoreUnavailable) as refused:
        ChromaVectorStores.at_server(replace(other, url=url))
    assert f"there is no {what}" in str(refused.value)
    assert "can't be made: it answered 403 Forbidden" in str(refused.value)


def test_what_a_proxy_says_while_nobody_is_there_passes(
    chroma_url: str, settings: ChromaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.stores.reconnecting.time.sleep", lambda _: None)
    proxy = Proxy(chroma_url)
    with serving(proxy) as url:
        stores = ChromaVectorStores.at_server(replace(settings, url=url))
        store = stores.open("store")
        proxy.failures += [502, 503, 504, 429]
        store.upsert(["a"], unit_vectors(1), ["d"])
        assert (proxy.failures, store.ids()) == ([], {"a"})
        proxy.failures += [500]
        with capture_logs() as logged, pytest.raises(StoreUnavailable):
            store.count()
        assert logged[0]["error"] == "it answered 500 Internal Server Error"
        stores.close()
