import io
from typing import Any

import numpy as np
import pytest
from httpx2 import Response
from PIL import Image
from starlette.testclient import TestClient

from ingest import highlighting
from tests.api.replies import assert_problem, upload
from tests.ingest.parsers.builders import pdf

FIRST, SECOND = "The warranty lasts two years.", "Batteries are not covered."


@pytest.fixture(scope="module")
def path(shared: TestClient) -> str:
    """The path of a PDF of two pages."""
    form = b'name="files"; filename="a.pdf"'
    (job,) = upload(shared, pdf([[FIRST], [SECOND]]), form).json()["jobs"]
    return f"/kb/kb/documents/{job['document_id']}"


@pytest.fixture(scope="module")
def text_path(shared: TestClient) -> str:
    """The path of a document that isn't a PDF."""
    documents = shared.get("/kb/kb/documents").json()["documents"]
    (found,) = [one["id"] for one in documents if one["uri"] == "notes/1"]
    return f"/kb/kb/documents/{found}"


def yellow(reply: Response) -> int:
    """How many pixels of a picture are marked."""
    with Image.open(io.BytesIO(reply.content)) as image:
        pixels = np.asarray(image).astype(int)
    return int(((pixels[:, :, 0] > 200) & (pixels[:, :, 2] < 100)).sum())


def test_pages_are_spans_of_the_text(shared: TestClient, path: str) -> None:
    reply = shared.get(f"{path}/pages").json()
    assert reply["version"] == shared.get(path).json()["version"]
    assert [(page["number"], page["label"]) for page in reply["pages"]] == [(1, "1"), (2, "2")]
    text = shared.get(f"{path}/text").text
    spans = [text[page["start"] : page["end"]].strip() for page in reply["pages"]]
    assert spans == [FIRST, SECOND]


def test_what_has_no_pages_has_none(shared: TestClient, text_path: str) -> None:
    assert shared.get(f"{text_path}/pages").json()["pages"] == []


def test_boxes_are_where_a_quote_stands_on_the_page(shared: TestClient, path: str) -> None:
    whole = {"start": 0, "end": len(FIRST) + 2 + len(SECOND)}
    reply = shared.get(f"{path}/boxes", params=whole).json()
    assert [box["page"] for box in reply["boxes"]] == [1, 2]
    sizes = {page["number"]: (page["width"], page["height"]) for page in reply["pages"]}
    for box in reply["boxes"]:
        width, height = sizes[box["page"]]
        assert 0 < box["left"] < box["right"] < width
        assert 0 < box["top"] < box["bottom"] < height
    (page,) = shared.get(f"{path}/boxes", params={"start": 0, "end": 5}).json()["pages"]
    assert page == {"number": 1, "label": "1", "width": page["width"], "height": page["height"]}
    assert_problem(shared.get(f"{path}/boxes", params={"start": 5, "end": 5}), 422, "span")
    assert_problem(shared.get(f"{path}/boxes"), 422, "query.start")


def test_a_text_has_no_boxes_and_a_span_must_lie_in_it(shared: TestClient, text_path: str) -> None:
    path, characters = f"{text_path}/boxes", shared.get(text_path).json()["characters"]
    got = shared.get(path, params={"start": 0, "end": 1})
    assert got.json() == {"boxes": [], "pages": []}
    for start, end in ((-1, 1), (1, 1), (0, characters + 1), (10**30, 10**31)):
        assert_problem(shared.get(path, params={"start": start, "end": end}), 422, "span")


def test_a_picture_shows_the_quote_where_it_is(shared: TestClient, path: str) -> None:
    span = {"highlight": f"0-{len(FIRST)}"}
    marked, other = (shared.get(f"{path}/pages/{n}.png", params=span) for n in (1, 2))
    assert yellow(marked) > 1_000
    assert yellow(other) == 0
    assert other.content == shared.get(f"{path}/pages/2.png").content
    assert other.content != shared.get(f"{path}/pages/1.png").content


def test_a_picture_of_a_version_may_be_kept(shared: TestClient, path: str) -> None:
    live = shared.get(f"{path}/pages/1.png")
    version = live.headers["x-document-version"]
    fixed = shared.get(f"{path}/pages/1.png", params={"version": version})
    assert fixed.content == live.content
    assert live.headers["cache-control"] == "private, no-cache"
    assert fixed.headers["cache-control"] == "private, max-age=86400, immutable"
    assert live.headers["content-type"] == "image/png"
    assert live.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in live.headers["content-security-policy"]


@pytest.mark.parametrize(("scale", "width"), [(0.5, 298), (2, 1191), (4, 2382)])
def test_the_scale_is_in_pixels_a_point(
    shared: TestClient, path: str, scale: float, width: int
) -> None:
    reply = shared.get(f"{path}/pages/1.png", params={"scale": scale})
    assert reply.headers["x-page-scale"] == f"{scale:g}"
    with Image.open(io.BytesIO(reply.content)) as image:
        assert image.width == width


@pytest.mark.parametrize("number", ["0", "3", "-1", "1" + "0" * 30])
def test_a_page_that_is_not_there(shared: TestClient, path: str, number: str) -> None:
    assert_problem(shared.get(f"{path}/pages/{number}.png"), 404, f"no page {number}", "1 to 2")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"highlight": "5"}, "start-end"),
        ({"highlight": ""}, "start-end"),
        ({"highlight": "-1-5"}, "start-end"),
        ({"highlight": "１-５"}, "start-end"),
        ({"highlight": "1-" + "9" * 5_000}, "start-end"),
        ({"highlight": "5-5"}, "span"),
        ({"highlight": "0-999999"}, "span"),
        ({"scale": "0.4"}, "query.scale"),
        ({"scale": "4.1"}, "query.scale"),
        ({"scale": "nan"}, "query.scale"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_picture_that_can_not_be_made(
    shared: TestClient, path: str, query: dict[str, Any], said: str
) -> None:
    assert_problem(shared.get(f"{path}/pages/1.png", params=query), 422, said)


def test_a_quote_may_be_so_long(
    shared: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(highlighting, "MAX_SPAN", 5)
    for request in ("pages/1.png?highlight=0-{}", "boxes?start=0&end={}"):
        assert shared.get(f"{path}/{request.format(5)}").status_code == 200
        assert_problem(shared.get(f"{path}/{request.format(6)}"), 422, "at most 5")


def test_only_pdfs_have_pictures(shared: TestClient, path: str, text_path: str) -> None:
    assert_problem(shared.get(f"{text_path}/pages/1.png"), 422, "text/plain", "only PDFs")
    assert_problem(shared.get(f"{path}/pages/one.png"), 422, "path.number")


@pytest.mark.parametrize(
    ("word", "wrong", "said"),
    [(b"/Page\n", b"/Pear\n", "Page 1 of torn.pdf"), (b"/Root", b"/Rot ", "torn.pdf is a damaged")],
)
def test_a_page_that_pdfium_can_not_read_is_told(
    client: TestClient, word: bytes, wrong: bytes, said: str
) -> None:
    data = pdf([[FIRST], [SECOND]]).replace(word, wrong, 1)
    form = b'name="files"; filename="torn.pdf"'
    (job,) = upload(client, data, form).json()["jobs"]
    path = f"/kb/kb/documents/{job['document_id']}"
    assert [page["number"] for page in client.get(f"{path}/pages").json()["pages"]] == [1, 2]
    assert_problem(client.get(f"{path}/pages/1.png"), 422, said)
