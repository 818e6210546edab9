import hashlib
import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.service import Service
from ingest.fetching import Fetched
from tests.api.conftest import SERVICE_TEXT, AddText
from tests.api.replies import assert_problem, upload


def test_a_text_is_accepted_and_followed_to_its_document(client: TestClient) -> None:
    accepted = client.post("/kb/kb/documents", json={"text": "Tea at four.", "uri": "n/1"})
    assert accepted.status_code == 202
    (job,) = accepted.json()["jobs"]
    assert (job["uri"], job["kb"], job["error"]) == ("n/1", "kb", None)
    events = client.get(f"/jobs/{job['id']}/events").text
    assert '"state": "done"' in events
    document = client.get(f"/kb/kb/documents/{job['document_id']}").json()
    assert (document["uri"], document["characters"], document["chunks"]) == ("n/1", 12, 1)


def test_wait_answers_when_all_are_final(client: TestClient) -> None:
    body = {
        "documents": [{"text": f"Text {n}.", "uri": str(n)} for n in range(20)] + [{"text": ""}]
    }
    reply = client.post("/kb/kb/documents?wait=true", json=body)
    assert reply.status_code == 200
    states = [job["state"] for job in reply.json()["jobs"]]
    assert states == ["done"] * 20 + ["failed"]
    assert reply.json()["jobs"][-1]["error"]["kind"] == "EmptyDocument"


def test_equal_bytes_are_kept_once_unless_each_has_a_uri(client: TestClient) -> None:
    twice = {"documents": [{"text": "Same."}, {"text": "Same."}]}
    outcomes = {j["outcome"] for j in _sent(client, twice)}
    assert outcomes <= {"added", "unchanged"}
    named = {"documents": [{"text": "Same.", "uri": "1"}, {"text": "Same.", "uri": "2"}]}
    assert [job["outcome"] for job in _sent(client, named)] == ["added", "added"]
    assert client.get("/kb/kb/documents").json()["total"] == 3


def test_metadata_survives_a_version_that_says_nothing_of_it(
    client: TestClient, add_text: AddText
) -> None:
    metadata = {"year": 2026, "share": 0.5, "draft": False, "team": ["法务", "🍵"], "big": 2**53}
    document = add_text(metadata=metadata)
    assert add_text("Another version.") == document
    got = client.get(f"/kb/kb/documents/{document}").json()["metadata"]
    assert got == metadata
    assert isinstance(got["draft"], bool)


def test_an_old_version_stays_readable_and_its_quotes_true(
    client: TestClient, add_text: AddText
) -> None:
    document = add_text()
    old = client.post(
        "/kb/kb/ask", json={"question": "Are batteries covered for six months?"}
    ).json()
    assert old["citations"]
    put = client.put(f"/kb/kb/documents/{document}?wait=true", json={"text": "Nothing at all."})
    assert [job["outcome"] for job in put.json()["jobs"]] == ["updated"]
    told = client.get(f"/kb/kb/documents/{document}/versions").json()["versions"]
    assert [(one["live"], one["characters"]) for one in told] == [
        (True, 15),
        (False, len(SERVICE_TEXT)),
    ]
    assert {citation["version"] for citation in old["citations"]} == {told[1]["version"]}
    path = f"/kb/kb/documents/{document}/text"
    assert client.get(path).text == "Nothing at all."
    for citation in old["citations"]:
        read = client.get(path, params={"version": citation["version"]})
        assert read.headers["x-document-version"] == citation["version"]
        assert read.text[citation["start"] : citation["end"]] == citation["quote"]
    found = client.post("/kb/kb/search", json={"query": "warranty"}).json()["hits"]
    assert {hit["text"] for hit in found} == {"Nothing at all."}


def test_a_new_version_keeps_the_identity_whatever_the_body_says(
    client: TestClient, add_text: AddText
) -> None:
    document = add_text()
    body = {"text": "新的内容。", "uri": "elsewhere", "title": "标题", "metadata": {"a": 1}}
    (job,) = client.put(f"/kb/kb/documents/{document}?wait=1", json=body).json()["jobs"]
    assert (job["document_id"], job["uri"]) == (document, "notes/1")
    got = client.get(f"/kb/kb/documents/{document}").json()
    assert (got["title"], got["uri"], got["metadata"]) == ("标题", "notes/1", {"a": 1})


def test_replacing_takes_one_and_a_document_that_is_there(
    client: TestClient, add_text: AddText
) -> None:
    document = add_text()
    two = {"documents": [{"text": "a"}, {"text": "b"}]}
    assert_problem(client.put(f"/kb/kb/documents/{document}", json=two), 422, "not 2")
    assert_problem(client.put("/kb/kb/documents/none", json={"text": "a"}), 404, "'none'")


def test_lists_are_paged_by_uri(client: TestClient, add_text: AddText) -> None:
    for number in range(5):
        add_text(f"Text {number}.", uri=f"n/{number}")
    pages = [
        client.get("/kb/kb/documents", params={"limit": 2, "offset": offset}).json()
        for offset in (0, 2, 4, 6)
    ]
    assert [page["total"] for page in pages] == [5] * 4
    uris = [document["uri"] for page in pages for document in page["documents"]]
    assert uris == [f"n/{number}" for number in range(5)]


def test_a_list_is_searched_filtered_and_sorted_at_once(
    client: TestClient, add_text: AddText
) -> None:
    for number, title in enumerate(("Über Tee", "Coffee", "ÜBER KAFFEE", "über 100%")):
        add_text(f"Text {number}.", uri=f"n/{number}", title=title, metadata={"odd": number % 2})
    asked = "search=über&sort=-title&limit=1&offset=1"
    got = client.get(f"/kb/kb/documents?{asked}").json()
    assert (got["total"], [one["title"] for one in got["documents"]]) == (3, ["ÜBER KAFFEE"])
    got = client.get("/kb/kb/documents", params={"search": "%", "filter": '{"odd": 1}'}).json()
    assert (got["total"], [one["uri"] for one in got["documents"]]) == (1, ["n/3"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sort=text", "`updated_at`"),
        ("search=" + "文" * 501, "query.search"),
        ("limit=0", "query.limit"),
        ("limit=1001", "query.limit"),
        ("offset=-1", "query.offset"),
        ("offset=1" + "0" * 30, "query.offset"),
        ("filter=year", "isn't JSON"),
        ("filter=[]", "JSON object"),
        ('filter="a"', "JSON object"),
        ('filter={"a":NaN}', "nan"),
        ('filter={"a":"\\ud800"}', "Unicode"),
        ("filter=" + "1" * 5_000, "isn't JSON"),
        ("filter=" + "[" * 5_000, "isn't JSON"),
    ],
    ids=lambda value: value[:20],
)
def test_a_list_that_can_not_be_made(shared: TestClient, query: str, said: str) -> None:
    assert_problem(shared.get(f"/kb/kb/documents?{query}"), 422, said)


TAILS = ("", "/versions", "/text", "/original", "/boxes?start=0&end=1", "/pages", "/pages/1.png")


@pytest.mark.parametrize("tail", TAILS)
def test_a_document_or_version_that_is_not_there(shared: TestClient, tail: str) -> None:
    assert_problem(shared.get(f"/kb/kb/documents/none{tail}"), 404, "'none'")
    if tail not in ("", "/versions"):
        (document,) = shared.get("/kb/kb/documents").json()["documents"]
        joint = "&" if "?" in tail else "?"
        for version in ("none", "%00", "%ED%A0%80", ""):
            path = f"/kb/kb/documents/{document['id']}{tail}{joint}version={version}"
            assert_problem(shared.get(path), 404)


def test_a_document_is_seen_from_its_own_knowledge_base_only(
    client: TestClient, add_text: AddText
) -> None:
    document = add_text()
    client.put("/kb/other")
    for tail in TAILS:
        assert_problem(client.get(f"/kb/other/documents/{document}{tail}"), 404, "'other'")
    assert_problem(client.delete(f"/kb/other/documents/{document}"), 404, "'other'")
    assert client.get(f"/kb/kb/documents/{document}").status_code == 200


def test_delete_forgets_versions_hits_and_bytes(
    client: TestClient, service: Service, add_text: AddText
) -> None:
    document = add_text("The secret warranty.")
    (blob, _, _) = service.engine.documents.original(
        service.engine.knowledge_bases.get("kb"), document
    )
    gone = client.delete(f"/kb/kb/documents/{document}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert_problem(client.delete(f"/kb/kb/documents/{document}"), 404)
    assert_problem(client.get(f"/kb/kb/documents/{document}/text"), 404)
    assert client.post("/kb/kb/search", json={"query": "secret"}).json()["hits"] == []
    service.engine.indexer.close()
    assert blob not in {*service.engine.blobs.digests()}


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("页.html", b"<script>alert(1)</script><p>Some words.</p>", "text/html"),
        ('a b".txt', "Some words 🍵".encode(), "text/plain"),
        ("gbk.txt", "退货运费由卖家承担,运费险的理赔时限是七天。".encode("gbk"), "text/plain"),
    ],
)
def test_the_original_comes_back_as_it_was_and_is_never_run(
    client: TestClient, name: str, data: bytes, media_type: str
) -> None:
    files = {"files": (name, data)}
    (job,) = client.post("/kb/kb/documents?wait=true", files=files).json()["jobs"]
    got = client.get(f"/kb/kb/documents/{job['document_id']}/original")
    assert got.content == data
    assert got.headers["content-type"] == media_type
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    text = client.get(f"/kb/kb/documents/{job['document_id']}/text")
    assert text.headers["x-content-type-options"] == "nosniff"


def test_a_delete_during_an_upload_leaves_all_or_nothing(
    client: TestClient, add_text: AddText
) -> None:
    document = add_text()
    replies: list[int] = []

    def send() -> None:
        for number in range(8):
            body = {"text": f"Version {number}.", "uri": "notes/1"}
            replies.append(client.post("/kb/kb/documents?wait=1", json=body).status_code)

    thread = threading.Thread(target=send)
    thread.start()
    while thread.is_alive():
        assert client.delete(f"/kb/kb/documents/{document}").status_code in (204, 404)
    thread.join()
    assert replies == [200] * 8
    add_text("The last version.")
    hits = client.post("/kb/kb/search", json={"query": "version"}).json()["hits"]
    assert [hit["text"] for hit in hits] == ["The last version."]


def test_uploads_of_one_name_are_versions_of_one_document(
    client: TestClient,
) -> None:
    first, second = (upload(client, data).json()["jobs"][0] for data in (b"One.", b"Two."))
    assert first["document_id"] == second["document_id"]
    assert (first["outcome"], second["outcome"]) == ("added", "updated")


def _sent(client: TestClient, body: Any) -> list[dict[str, Any]]:
    reply = client.post(
        "/kb/kb/documents?wait=true",
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json; charset=utf-8"},
    )
    jobs: list[dict[str, Any]] = reply.raise_for_status().json()["jobs"]
    return jobs


def test_a_url_is_fetched_only_where_that_is_allowed(client: TestClient) -> None:
    reply = client.post("/kb/kb/documents", json={"url": "https://example.org/"})
    assert_problem(reply, 422, "FOOTNOTE_FETCH_URLS")


class Page:
    """A fetcher whose page can change."""

    def __init__(self) -> None:
        self.page, self.etag = b"# Page\n\nTea is at four.", '"1"'
        self.asked: list[str] = []

    def fetch(self, url: str, etag: str = "", modified: str = "") -> Fetched:
        self.asked.append(etag)
        data = None if etag == self.etag else self.page
        return Fetched(url, data, "page.md", "text/markdown", self.etag, "")


def test_a_page_is_taken_again_only_when_it_has_changed(
    client: TestClient, service: Service
) -> None:
    web = Page()
    client.app.state.service = replace(service, fetcher=web)  # type: ignore[attr-defined]
    body = {"url": "https://example.org/page.md", "metadata": {"team": "x"}}
    plain = {"url": body["url"]}
    outcomes = [_sent(client, one)[0]["outcome"] for one in (body, plain)]
    web.page, web.etag = b"# Page\n\nTea is at five.", '"2"'
    outcomes.append(_sent(client, plain)[0]["outcome"])
    assert outcomes == ["added", "unchanged", "updated"]
    assert web.asked == ["", '"1"', '"1"']
    [document] = client.get("/kb/kb/documents").json()["documents"]
    assert document["uri"] == body["url"]
    digest = hashlib.sha256(web.page).hexdigest()
    assert document["metadata"] == {"team": "x", "http_etag": '"2"', "http_sha256": digest}


def test_a_page_is_asked_for_whole_where_what_is_known_of_it_would_mislead(
    client: TestClient, service: Service
) -> None:
    web = Page()
    client.app.state.service = replace(service, fetcher=web)  # type: ignore[attr-defined]
    plain = {"url": "https://example.org/page.md"}
    [job] = _sent(client, plain)
    more = {**plain, "title": "Tea", "metadata": {"team": "y"}}
    assert _sent(client, more)[0]["outcome"] == "updated"
    [document] = client.get("/kb/kb/documents").json()["documents"]
    assert (document["title"], document["metadata"]["team"]) == ("Tea", "y")
    other = {"text": "Something else entirely."}
    client.put(f"/kb/kb/documents/{job['document_id']}?wait=true", json=other).raise_for_status()
    assert _sent(client, plain)[0]["outcome"] == "updated"
    assert web.asked == ["", "", ""]
    text = client.get(f"/kb/kb/documents/{job['document_id']}/text").text
    assert "Tea is at four" in text


def test_a_document_that_is_deleted_is_gone_with_its_jobs(
    client: TestClient, add_text: AddText
) -> None:
    document = add_text()
    assert client.get("/jobs").json()["counts"] == {"done": 1}
    assert client.delete(f"/kb/kb/documents/{document}").status_code == 204
    assert client.get("/jobs").json() == {"counts": {}, "jobs": []}


def test_a_part_of_the_text_counts_code_points(client: TestClient, add_text: AddText) -> None:
    path = f"/kb/kb/documents/{add_text('茶🍵at four')}/text"
    part = client.get(path, params={"start": 1, "end": 4})
    assert (part.text, part.headers["x-text-length"]) == ("🍵at", "9")
    assert client.get(path, params={"start": 4}).text == " four"
    assert client.get(path, params={"start": 90}).text == ""
    assert client.get(path, params={"start": -1}).status_code == 422


def test_the_samples_are_added_as_if_sent(client: TestClient) -> None:
    jobs = client.post("/kb/kb/samples?wait=true").raise_for_status().json()["jobs"]
    assert len(jobs) == 10
    assert {job["outcome"] for job in jobs} == {"added"}
    assert "lease-flat-4b.docx" in {job["uri"] for job in jobs}
    again = client.post("/kb/kb/samples?wait=true").json()["jobs"]
    assert {job["outcome"] for job in again} == {"unchanged"}
    assert client.post("/kb/kb/samples").status_code == 202
    assert_problem(client.post("/kb/none/samples"), 404, "'none'")
