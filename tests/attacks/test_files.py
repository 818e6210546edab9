"""Files that are more than they seem: each is read as text, or refused in words, by a server that
goes on, in the time that any file has.
"""

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import httpx
import pytest
from docx import Document
from openpyxl import Workbook
from pptx import Presentation

from api.app import create_app
from api.settings import Settings
from api.standin.server import running

SECONDS = 8.0  # that reading a file may take
ENDS = SECONDS + 82  # where a busy machine indexes what was read too
KEPT = "The vault opens at nine"


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the server's machine that no document may show."""
    path = tmp_path_factory.mktemp("machine") / "secret.txt"
    path.write_text(KEPT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings = Settings(
        data=tmp_path_factory.mktemp("attacks"), embedding_model="hashing", parse_seconds=SECONDS
    )
    with (
        running(create_app(settings)) as url,
        httpx.Client(base_url=url, timeout=ENDS, trust_env=False) as client,
    ):
        client.put("/kb/mine").raise_for_status()
        yield client


def _sent(http: httpx.Client, name: str, data: bytes) -> list[dict[str, Any]]:
    """What became of a file. Fails where that takes too long, or costs the server its life."""
    began = time.monotonic()
    reply = http.post("/kb/mine/documents?wait=true", files={"files": (name, data)})
    assert reply.status_code < 500, reply.text
    assert time.monotonic() - began < ENDS
    assert http.get("/health").status_code == 200
    if reply.status_code >= 400:
        assert reply.json()["detail"]
        return []
    jobs: list[dict[str, Any]] = reply.json()["jobs"]
    for job in jobs:
        assert job["state"] in ("done", "failed"), job
        assert job["state"] == "done" or job["error"], job
    return jobs


def _text(http: httpx.Client, jobs: list[dict[str, Any]]) -> str:
    """What the server has read, of all that was done."""
    done = [job["document_id"] for job in jobs if job["state"] == "done"]
    return "".join(http.get(f"/kb/mine/documents/{one}/text").text for one in done)


def _zipped(files: Mapping[str, str | bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return written.getvalue()


def _members(name: str) -> dict[str, str | bytes]:
    """Those of a document with a word or two in it, as the usual programs pack them."""
    written = io.BytesIO()
    if name == "a.docx":
        word = Document()
        word.add_paragraph("Tea")
        word.save(written)
    elif name == "a.pptx":
        shown = Presentation()
        shown.slides.add_slide(shown.slide_layouts[0]).shapes.title.text = "Tea"
        shown.save(written)
    elif name == "a.xlsx":
        book = Workbook()
        book.active["A1"], book.active["A2"] = "Tea", "Time"
        book.save(written)
    else:
        announced = {"a.odt": "opendocument.text", "a.epub": "epub+zip"}[name]
        kind = f"application/{'vnd.oasis.' if name == 'a.odt' else ''}{announced}"
        return {"mimetype": kind, **OTHERS[name]}
    with zipfile.ZipFile(written) as archive:
        return {one: archive.read(one) for one in archive.namelist()}


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
OUTSIDE = '<!ENTITY l11 SYSTEM "{uri}">'
OTHERS: dict[str, dict[str, str | bytes]] = {
    "a.odt": {
        "content.xml": '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:'
        'xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        "<office:body><office:text><text:p>Tea</text:p></office:text></office:body>"
        "</office:document-content>",
    },
    "a.epub": {
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
        'container"><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
        "a.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/'
        'dc/elements/1.1/"><dc:title>Tea</dc:title></metadata><manifest><item id="a" '
        'href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine>'
        '<itemref idref="a"/></spine></package>',
        "a.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Tea</p></body></html>',
    },
}
WRITTEN = {  # the member that says "Tea"
    "a.docx": "word/document.xml",
    "a.pptx": "ppt/slides/slide1.xml",
    "a.xlsx": "xl/worksheets/sheet1.xml",
    "a.odt": "content.xml",
    "a.epub": "a.opf",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_plain_package_is_read(http: httpx.Client, name: str) -> None:
    """Or the next test would be one of nothing."""
    assert "Tea" in _text(http, _sent(http, name, _zipped(_members(name))))


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("bomb", ["laughs", "file", "address"])
def test_entities_neither_grow_nor_reach_out(
    http: httpx.Client, secret: Path, name: str, bomb: str
) -> None:
    entities = {
        "laughs": f'<!ENTITY l0 "ha">{LAUGHS}',
        "file": OUTSIDE.format(uri=secret.as_uri()),
        "address": OUTSIDE.format(uri=f"{http.base_url}kb"),
    }[bomb]
    members = _members(name)
    told = members[WRITTEN[name]]
    body = told.decode() if isinstance(told, bytes) else told
    assert "Tea<" in body
    root = body.rpartition("?>")[2].replace("Tea<", "Tea&l11;<")
    members[WRITTEN[name]] = f'<?xml version="1.0"?><!DOCTYPE d [{entities}]>{root}'
    text = _text(http, _sent(http, name, _zipped(members)))
    assert KEPT not in text
    assert "embedding_model" not in text
    assert len(text) < 1_000


def test_archives_within_archives_end_somewhere(http: httpx.Client) -> None:
    data = b"Tea is at four."
    for _ in range(30):
        data = _zipped({"in.zip": data, "in.txt": "Tea."})
    _sent(http, "a.zip", data)


def test_an_archive_that_unpacks_to_far_more_is_refused(http: httpx.Client) -> None:
    data = _zipped({f"{n}.txt": b" " * 30_000_000 for n in range(20)})
    assert len(data) < 1_000_000
    assert {job["state"] for job in _sent(http, "a.zip", data)} <= {"failed"}


def test_members_that_share_their_bytes_are_refused(http: httpx.Client) -> None:
    """The directory of an archive may name one place many times (David Fifield, 2019)."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.txt", b"a" * 5_000_000)
        [one] = archive.filelist
        for number in range(1, 2_000):
            other = zipfile.ZipInfo(f"{number}.txt")
            for field in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
                setattr(other, field, getattr(one, field))
            archive.filelist.append(other)
            archive.NameToInfo[other.filename] = other
    assert {job["state"] for job in _sent(http, "a.zip", written.getvalue())} <= {"failed"}


def _pdf(*objects: str) -> bytes:
    """A PDF of these objects, the first its catalogue."""
    written = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = len(written)
    size = len(objects) + 1
    written += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
    written += f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(written)


CONTENT = "<< /Length 44 >>\nstream\nBT /F1 24 Tf 72 700 Td (Tea is at four.) Tj ET \nendstream"
FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
RESOURCES = "/Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R"
PAGE = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {RESOURCES} >>"
PAGES = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
ROOT = "<< /Type /Catalog /Pages 2 0 R {more} >>"
PDFS = {
    "launch": _pdf(
        ROOT.format(more="/OpenAction << /S /Launch /F (/bin/sh) /NewWindow true >>"),
        *(PAGES, PAGE, CONTENT, FONT),
    ),
    "javascript": _pdf(
        ROOT.format(more="/OpenAction << /S /JavaScript /JS (app.launchURL\\('http://x'\\)) >>"),
        *(PAGES, PAGE, CONTENT, FONT),
    ),
    "pages within themselves": _pdf(
        ROOT.format(more=""), "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 9 >>", PAGE, CONTENT, FONT
    ),
    "billions of pages": _pdf(
        ROOT.format(more=""),
        *("<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>", PAGE, CONTENT, FONT),
    ),
    "a page as large as a country": _pdf(
        ROOT.format(more=""), PAGES, PAGE.replace("612 792", "99999999 99999999"), CONTENT, FONT
    ),
    "a form that draws itself": _pdf(
        ROOT.format(more=""),
        PAGES,
        PAGE.replace("/Font", "/XObject << /X 4 0 R >> /Font"),
        "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 4 0 R >> >> "
        "/Length 6 >>\nstream\n/X Do \nendstream",
        FONT,
    ),
    "an outline that follows itself": _pdf(
        ROOT.format(more="/Outlines 6 0 R"),
        *(PAGES, PAGE, CONTENT, FONT),
        "<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>",
        "<< /Title (Loop) /Parent 6 0 R /Next 7 0 R /First 7 0 R /Dest [3 0 R /Fit] >>",
    ),
    "a file of the machine": _pdf(
        ROOT.format(more=""),
        *(
            PAGES,
            PAGE,
            "<< /Length 0 /F (SECRET) /FFilter /FlateDecode >>\nstream\n\nendstream",
            FONT,
        ),
    ),
    "arrays within arrays": _pdf(
        ROOT.format(more=f"/X {'[' * 50_000}{']' * 50_000}"), PAGES, PAGE, CONTENT, FONT
    ),
}


@pytest.mark.parametrize("name", PDFS)
def test_a_pdf_does_nothing_but_say_its_text(http: httpx.Client, secret: Path, name: str) -> None:
    data = PDFS[name].replace(b"(SECRET)", f"({secret})".encode())
    jobs = _sent(http, "a.pdf", data)
    text = _text(http, jobs)
    assert KEPT not in text
    assert not text.strip() or "Tea is at four." in text
    for job in jobs:
        if job["state"] == "done":
            picture = http.get(f"/kb/mine/documents/{job['document_id']}/pages/1/image")
            assert picture.status_code < 500, picture.text
            assert len(picture.content) < 20_000_000


TEXTS = {
    "a.md": {
        "brackets": "[" * 100_000,
        "pointed": "<" * 100_000,
        "stars": "*a " * 50_000,
        "quotes": ">" * 50_000,
        "lists": "\n".join(" " * n + "- a" for n in range(2_000)),
        "links": "[a](" * 20_000,
        "fences": "```\n" * 50_001,
        "table": "|" * 100_000 + "\n" + "-|" * 50_000,
    },
    "a.html": {
        "nested": "<div>" * 100_000 + "Tea",
        "tables": "<table><tr><td>" * 20_000,
        "attributes": "<p " + " ".join(f"a{n}=b" for n in range(100_000)) + ">Tea",
        "base": '<base href="http://x/"><img src="/y"><link rel=stylesheet href=z><p>Tea',
        "entities": "&amp;" * 200_000,
        "comment": "<!--" * 100_000,
        "spans": "<table><tr><td colspan=1000000 rowspan=1000000>Tea</table>",
    },
    "a.csv": {
        "wide": ",".join("a" * 60_000) + "\n1",
        "quotes": '"' * 200_001,
        "formulas": "name,value\n=HYPERLINK(\"http://x\"),@SUM(1+1)*cmd|' /C calc'!A0\n",
        "ragged": "\n".join("a," * (n % 300) for n in range(1_500)),
    },
    "a.json": {
        "nested": "[" * 100_000 + "]" * 100_000,
        "numbers": "[" + "1" * 100_000 + ", 1e999999]",
        "keys": "{" + ",".join(f'"{n}":{n}' for n in range(30_000)) + "}",
    },
    "a.eml": {
        "parts": "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n"
        + "--a\n\nx\n" * 8_000,
        "headers": "".join(f"X-{n}: a\n" for n in range(50_000)) + "\nTea",
        "folded": "Subject: " + "a\n " * 50_000 + "\n\nTea",
        "within": "Content-Type: message/rfc822\n\n" * 5_000 + "Tea",
    },
    "a.txt": {
        "control": "".join(map(chr, range(32))) * 1_000 + "Tea",
        "right to left": "\u202e" * 10_000 + "Tea",
        "marks": "a" + "\u0301" * 60_000,
        "no spaces": "a" * 1_000_000,
        "hyphens": "a-" * 60_000,
        "full stops": "." * 150_000,
        "digits": "1." * 60_000,
    },
}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, kinds in TEXTS.items() for kind in kinds]
)
def test_text_made_to_take_long_takes_no_longer(http: httpx.Client, name: str, kind: str) -> None:
    _sent(http, name, TEXTS[name][kind].encode())


def test_formulas_are_words(http: httpx.Client) -> None:
    text = _text(http, _sent(http, "f.csv", TEXTS["a.csv"]["formulas"].encode()))
    assert "=HYPERLINK(" in text


ODD = {
    "nul": "\x00",
    "half a pair": "\ud800",
    "escape": "\x1b[31m",
    "line": "\r\nX: y",
    "bom": "\ufeff",
}
FIELDS = ("text", "uri", "title", "metadata key", "metadata value")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("kind", ODD)
def test_odd_characters_in_a_field_are_refused_or_kept(
    http: httpx.Client, field: str, kind: str
) -> None:
    odd = f"Tea{ODD[kind]}time"
    changes: dict[str, dict[str, Any]] = {
        "text": {"text": odd},
        "uri": {"uri": odd},
        "title": {"title": odd},
        "metadata key": {"metadata": {odd: "a"}},
        "metadata value": {"metadata": {"a": odd}},
    }
    body = {"text": "Tea is at four.", "uri": f"odd/{kind}/{field}"} | changes[field]
    content = json.dumps(body, ensure_ascii=True).encode()  # says halves of pairs too
    json_type = {"content-type": "application/json"}
    reply = http.post("/kb/mine/documents?wait=true", content=content, headers=json_type)
    assert reply.status_code in (200, 422), reply.text
    if reply.status_code == 200:
        [job] = reply.json()["jobs"]
        assert job["state"] in ("done", "failed"), job
    assert http.get("/kb/mine/documents").status_code == 200


def test_a_document_of_word_that_links_to_the_machine_is_only_text(
    http: httpx.Client, secret: Path
) -> None:
    written = io.BytesIO()
    document = Document()
    document.add_paragraph(f'INCLUDETEXT "{secret}" {escape("<b>Tea</b>")}')
    document.part.relate_to(secret.as_uri(), "http://x/attachedTemplate", is_external=True)
    document.save(written)
    assert KEPT not in _text(http, _sent(http, "linked.docx", written.getvalue()))
