import pytest

from ingest.errors import DamagedDocument, EncryptedDocument, UnsupportedMedia
from ingest.parsers.detection import Kind, detect
from tests.ingest.parsers.builders import pdf, word

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)


@pytest.mark.parametrize(
    ("data", "name", "media_type", "kind"),
    [
        (b"words", "a.txt", None, Kind.PLAIN),
        (b"words", "A.LOG", None, Kind.PLAIN),
        (b"# words", "a.md", None, Kind.MARKDOWN),
        (b"words", "README", None, Kind.PLAIN),
        (b"words", "page.php", "text/html; charset=utf-8", Kind.HTML),
        (b"words", "notes", "text/markdown", Kind.MARKDOWN),
        (b"\xef\xbb\xbf <!-- x --><!DOCTYPE html><p>a", "index.aspx", None, Kind.HTML),
        (b"<?xml version='1.0'?><html>", "a.xml", None, Kind.HTML),
        (b"<b>bold</b> text", "a.md", None, Kind.MARKDOWN),
        (pdf([["x"]]), "a.pdf", None, Kind.PDF),
        (word(), "a.docx", None, Kind.DOCX),
        (b"a,b", "a.tsv", None, Kind.CSV),
        (b"{}", "a.jsonl", None, Kind.JSON),
        (b"{}", "export", "application/json", Kind.JSON),
        (b"Subject: x", "a.eml", None, Kind.EML),
        (b"import os", "a.py", "text/x-python", Kind.CODE),
        (b"\x89PNG\r\n\x1a\n", "a.png", None, Kind.IMAGE),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a.webp", None, Kind.IMAGE),
        (OLE + "Workbook".encode("utf-16-le"), "a.xls", None, Kind.XLS),
        (OLE + "__substg1.0_0037001F".encode("utf-16-le"), "a.msg", None, Kind.MSG),
    ],
)
def test_kind(data: bytes, name: str, media_type: str | None, kind: Kind) -> None:
    file = detect(data, name, media_type)
    assert (file.kind, file.warnings) == (kind, ())


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (pdf([["x"]]), "a.txt", Kind.PDF),
        (word(), "a.pdf", Kind.DOCX),
        (b"<html><p>a", "a.pdf", Kind.HTML),
        (b"plain words", "a.docx", Kind.PLAIN),
    ],
)
def test_content_overrules_the_name_with_a_warning(data: bytes, name: str, kind: Kind) -> None:
    file = detect(data, name)
    assert file.kind is kind
    assert kind.value in file.warnings[0]


@pytest.mark.parametrize(
    ("data", "name", "error", "advice"),
    [
        (OLE + "WordDocument".encode("utf-16-le"), "a.doc", UnsupportedMedia, "DOCX"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a.docx", EncryptedDocument, "password"),
        (b"{\\rtf1 x}", "a.doc", UnsupportedMedia, "DOCX"),
        (b"a,b\n1,2", "a.dat", UnsupportedMedia, r"\.dat"),
        (OLE + "PowerPoint Document".encode("utf-16-le"), "a.ppt", UnsupportedMedia, "PPTX"),
        (b"PK\x03\x04 word/", "a.docx", DamagedDocument, "repair"),
        (b"PK\x03\x04 rest", "a.zip", UnsupportedMedia, "zip"),
    ],
)
def test_what_cannot_be_read_is_refused_with_advice(
    data: bytes, name: str, error: type[Exception], advice: str
) -> None:
    with pytest.raises(error, match=advice):
        detect(data, name)


def test_charset_of_the_media_type() -> None:
    assert detect(b"x", "a.txt", 'text/plain; charset="GB2312"').charset == "GB2312"
