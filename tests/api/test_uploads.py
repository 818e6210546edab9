import errno
import io
import json
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.service import Service
from tests.api.replies import JSON, assert_problem, upload
from tests.ingest.parsers.test_formats import zipped

_MANY = 32  # that many calls of a kind are made side by side
_SOON = 60.0  # seconds that nothing here takes
NAMED = b'name="files"; filename='


def _field(name: bytes, value: bytes) -> bytes:
    return b'--B\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value + b"\r\n"


@pytest.mark.parametrize(
    ("filename", "uri"),
    [
        ("😀.txt".encode(), "😀.txt"),
        ("茶歇.txt".encode(), "茶歇.txt"),
        ("e\u0301.txt".encode(), "e\u0301.txt"),
        (b"../../etc/passwd", "../../etc/passwd"),
        (b"C:\\docs\\a.txt", "a.txt"),
        (b"/root/a.txt", "root/a.txt"),
        (b"[bold]a.txt", "[bold]a.txt"),
        (b"a" * 1_020 + b".txt", "a" * 1_020 + ".txt"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_name_is_an_identity_and_never_a_path(
    client: TestClient, filename: bytes, uri: str
) -> None:
    (job,) = upload(client, disposition=NAMED + b'"' + filename + b'"').json()["jobs"]
    assert (job["state"], job["uri"]) == ("done", uri)
    original = client.get(f"/kb/kb/documents/{job['document_id']}/original")
    disposition = original.headers["content-disposition"]
    assert "/" not in disposition
    assert disposition.isascii()
    assert original.content == b"Some words."


@pytest.mark.parametrize(
    "filename", [b"", b" ", b"/", b"a\x00.txt", b"a\nb.txt", b"a" * 2_000, b"a\xe2\x80\xae.txt"]
)
def test_a_name_that_can_not_be_shown_is_refused(shared: TestClient, filename: bytes) -> None:
    assert_problem(
        upload(shared, disposition=NAMED + b'"' + filename + b'"'), 422, "can't name a document"
    )


@pytest.mark.parametrize(
    ("disposition", "status", "said"),
    [
        (b'name="files"', 422, "without a name"),
        (b"name=\"files\"; filename*=UTF-8''%E8%8C%B6.txt", 422, "without a name"),
        (b'name="file"; filename="a.txt"', 422, "'file'"),
        (b'name=""; filename="a.txt"', 422, "''"),
        (b'filename="a.txt"', 400, "name"),
    ],
)
def test_a_form_without_files_is_refused(
    shared: TestClient, disposition: bytes, status: int, said: str
) -> None:
    assert_problem(upload(shared, disposition=disposition), status, said)


def test_metadata_goes_with_every_file(client: TestClient) -> None:
    files = [("files", (f"{n}.txt", f"Text {n}.".encode())) for n in range(3)]
    metadata = {"metadata": json.dumps({"team": "法务", "tags": ["a", 1]})}
    sent = client.post("/kb/kb/documents?wait=true", files=files, data=metadata)
    assert sent.status_code == 200
    listed = client.get("/kb/kb/documents").json()["documents"]
    assert [document["metadata"] for document in listed] == [{"team": "法务", "tags": ["a", 1]}] * 3


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"1", 422),
        (b'{"a": {"b": 1}}', 422),
        (b'{"a": [[1]]}', 422),
        (b'{"a": null}', 422),
        (b'{"a": NaN}', 422),
        (b'{"a": 1e999}', 422),
        (b'{"a": "\\ud800"}', 422),
        (b'{"": 1}', 422),
        (b'{"' + b"k" * 129 + b'": 1}', 422),
        (b"[" * 5_000, 422),
        (b"\xff", 422),
        (b"x" * 1_100_000, 400),
    ],
    ids=lambda value: str(value)[:24],
)
def test_metadata_that_does_not_fit_is_refused(
    shared: TestClient, metadata: bytes, status: int
) -> None:
    reply = upload(shared, more=_field(b"metadata", metadata))
    assert_problem(reply, status, "metadata" if status == 422 else "maximum size")


def test_metadata_as_a_file_is_refused(shared: TestClient) -> None:
    more = b'--B\r\nContent-Disposition: form-data; name="metadata"; filename="m"\r\n\r\n{}\r\n'
    assert_problem(upload(shared, more=more), 422, "not a file")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (b"multipart/form-data", 400),
        (b"multipart/form-data; boundary=", 400),
        (b"multipart/form-data; boundary=other", 400),
        (b"multipart/form-data; boundary=B; charset=undefined", 422),
        (b"text/plain", 422),
        (b"application/x-www-form-urlencoded", 422),
        (b"", 422),
    ],
)
def test_a_body_of_another_kind_is_refused(shared: TestClient, kind: bytes, status: int) -> None:
    assert_problem(upload(shared, "é".encode(), kind=kind, more=_field(b"x", b"\xff")), status)


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        (b"empty.txt", b"", "EmptyDocument"),
        (b"gzip.pdf", b"\x1f\x8b\x08\x00" + bytes(range(256)) * 4, "UnsupportedMedia"),
        (b"bytes.bin", b"\x00\x01\x02" * 300, "UnsupportedMedia"),
        (b"cut.pdf", b"%PDF-1.7\n1 0 obj\n<<", "DamagedDocument"),
        (b"cut.docx", b"PK\x03\x04" + b"\x00" * 40, "DamagedDocument"),
    ],
)
def test_a_file_that_can_not_be_read_is_a_failed_job_and_no_document(
    client: TestClient, name: bytes, data: bytes, error: str
) -> None:
    (job,) = upload(client, data, NAMED + b'"' + name + b'"').json()["jobs"]
    assert (job["state"], job["error"]["kind"]) == ("failed", error)
    assert name.decode() in job["error"]["message"]
    assert client.get("/kb/kb/documents").json()["total"] == 0


def test_a_word_file_that_unpacks_to_far_more_than_it_is_fails(client: TestClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"<a>" + b" " * 120_000_000)
    (job,) = upload(client, packed.getvalue(), NAMED + b'"bomb.docx"').json()["jobs"]
    assert job["state"] == "failed"
    assert job["error"]["kind"] in ("DamagedDocument", "TooLarge", "UnsupportedMedia")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "isn't JSON"),
        (b"{", "isn't JSON"),
        (b"[" * 100_000, "isn't JSON"),
        (b'{"text": NaN}', "isn't JSON"),
        (b'{"text": "\\ud800"}', "isn't JSON"),
        (b'{"text": "a", "metadata": {"a": "\\udfff"}}', "isn't JSON"),
        (b'{"text": "a", "metadata": {"\\ud800": 1}}', "isn't JSON"),
        (b'{"text": "\xff"}', "isn't JSON"),
        (b"null", "body: "),
        (b"[]", "body: "),
        (b"{}", "text"),
        (b'{"text": 1}', "text"),
        (b'{"text": null}', "text"),
        (b'{"text": "a", "uri": ""}', "uri"),
        (b'{"text": "a", "uri": "' + b"u" * 2_049 + b'"}', "uri"),
        (b'{"text": "a", "title": "' + b"t" * 501 + b'"}', "title"),
        (b'{"text": "a", "name": "b"}', "name"),
        (b'{"text": "a", "metadata": []}', "metadata"),
        (b'{"text": "a", "metadata": {"a": {"b": 1}}}', "metadata.a"),
        (b'{"documents": []}', "documents"),
        (b'{"documents": {}}', "documents"),
        (b'{"documents": [{"text": "a"}, 1]}', "documents.1"),
        (b'{"documents": [], "text": "a"}', "text"),
        (b'{"url": "https://example.org"}', "URL"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_texts_that_do_not_fit_are_refused(shared: TestClient, body: bytes, said: str) -> None:
    assert_problem(shared.post("/kb/kb/documents", content=body, headers=JSON), 422, said)


def test_a_thousand_are_the_most(shared: TestClient) -> None:
    texts = {"documents": [{"text": "a"}] * 1_001}
    assert_problem(shared.post("/kb/kb/documents", json=texts), 422, "at most 1000")
    files = [("files", (f"{n}.txt", b"a")) for n in range(1_001)]
    assert_problem(shared.post("/kb/kb/documents", files=files), 400, "1000")


TEXTS = st.dictionaries(
    st.sampled_from(["text", "uri", "title", "metadata", "documents", "url", "more"]),
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(st.characters(), max_size=4),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=5,
    ),
    max_size=4,
).filter(lambda body: not isinstance(body.get("text"), str))


@settings(max_examples=150)
@given(body=TEXTS | st.just({"text": "\ud800"}))
def test_no_json_is_taken_for_a_document(shared: TestClient, body: Any) -> None:
    content = json.dumps(body).encode()
    assert_problem(shared.post("/kb/kb/documents", content=content, headers=JSON), 422)


@settings(max_examples=150)
@given(junk=st.binary(max_size=60), where=st.integers(0, 3))
def test_no_form_makes_it_fail(shared: TestClient, junk: bytes, where: int) -> None:
    parts = [b"--B\r\nContent-Disposition: form-data", b"; name=", b"files", b"\r\n\r\n"]
    body = b"".join((*parts[:where], junk, *parts[where:]))
    headers = {"content-type": "multipart/form-data; boundary=B"}
    assert_problem(
        reply := shared.post("/kb/kb/documents", content=body, headers=headers), reply.status_code
    )
    assert reply.status_code in (400, 422)


def test_an_archive_is_as_many_documents_as_files(client: TestClient) -> None:
    files = {"a.md": "Zebra.", "in/员工.txt": "狮子。", "x.png": "no"}
    reply = client.post("/kb/kb/documents?wait=true", files=[("files", ("all.zip", zipped(files)))])
    jobs = reply.json()["jobs"]
    assert [(job["uri"], job["outcome"]) for job in jobs] == [
        ("all.zip!/a.md", "added"),
        ("all.zip!/in/员工.txt", "added"),
    ]


def test_an_archive_that_cannot_be_unpacked_is_refused(client: TestClient) -> None:
    bomb = zipped({"a.txt": b"\0" * 50_000_000})
    for data, status in ((bomb, 413), (zipped({"a.png": "x"}), 422), (b"PK\x03\x04...", 422)):
        reply = client.post("/kb/kb/documents", files=[("files", ("all.zip", data))])
        assert_problem(reply, status)
    assert client.get("/jobs").json() == {"counts": {}, "jobs": []}


def test_where_uploads_cannot_be_kept_while_they_come_in_it_is_said(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: object, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("starlette.datastructures.UploadFile.write", full)
    reply = upload(client, b"a" * 1_500_000)
    assert_problem(reply, 503, "No space left on device", "TMPDIR")


def test_uploads_to_a_store_that_hangs_hold_up_nothing_else(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.put("/kb/kb").raise_for_status()
    put, begun, go_on = service.engine.blobs.put, threading.Semaphore(0), threading.Event()

    def slow(data: bytes) -> str:
        begun.release()
        assert go_on.wait(_SOON)
        return put(data)

    monkeypatch.setattr(service.engine.blobs, "put", slow)
    with ThreadPoolExecutor(_MANY + 1) as pool:
        try:
            sent = [
                pool.submit(client.post, "/kb/kb/documents", json={"text": f"Number {n}."})
                for n in range(_MANY)
            ]
            assert all(begun.acquire(timeout=_SOON) for _ in sent)
            found = pool.submit(client.post, "/kb/kb/search", json={"query": "number"})
            assert found.result(_SOON / 2).json()["hits"] == []
        finally:
            go_on.set()
        assert {reply.result(_SOON).status_code for reply in sent} == {202}
