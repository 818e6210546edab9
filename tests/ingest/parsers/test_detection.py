import struct
import zipfile
from copy import copy
from io import BytesIO

import pytest

from ingest.errors import DamagedDocument, EncryptedDocument, TooLarge, UnsupportedMedia
from ingest.parsers.archive import Archive
from ingest.parsers.detection import Kind, detect
from tests.ingest.parsers.builders import pdf, word
from tests.ingest.parsers.test_formats import zipped

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


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_announcement_that_is_packed_oddly_is_not_unpacked(packing: int) -> None:
    saved = BytesIO()
    with zipfile.ZipFile(saved, "w", packing) as made:
        made.writestr("mimetype", Kind.EPUB.value)
    with pytest.raises(UnsupportedMedia, match="zip archive"):
        detect(saved.getvalue(), "a.epub")


def test_an_announcement_that_is_encrypted_is_refused() -> None:
    flagged = bytearray(zipped({"mimetype": Kind.EPUB.value}))
    flagged[flagged.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DamagedDocument, match="repair"):
        detect(bytes(flagged), "a.epub")


def crowded(comment: bytes = b"", is_64: bool = False) -> bytes:
    """An archive with 30,000 entries in its directory, which says that it has one."""
    one = zipped({"a.txt": "x"})
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    directory = one[start:end] * 30_000
    size, record = len(directory), b""
    if is_64:
        sizes = struct.pack("<4Q", 1, 1, size, start)
        record = b"PK\x06\x06" + struct.pack("<QHHLL", 44, 45, 45, 0, 0) + sizes
        record += b"PK\x06\x07" + struct.pack("<LQL", 0, start + size, 1)
        size = 0xFFFFFFFF
    last = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, size, start, len(comment))
    return one[:start] + directory + record + last + comment


@pytest.mark.parametrize("data", [crowded(), crowded(b"comment"), crowded(is_64=True)])
def test_a_crowded_archive_is_refused_before_its_directory_is_read(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(BytesIO(data)) as read:
        assert len(read.infolist()) == 30_000
    monkeypatch.delattr(zipfile, "ZipFile")
    with pytest.raises(TooLarge, match="30,000 members; 20,000 may be"):
        detect(data, "a.docx")
    with pytest.raises(TooLarge, match="30,000 members"):
        Archive(data, "a.zip", "zip")


def test_the_members_of_an_archive_in_an_archive_are_not_counted() -> None:
    saved = BytesIO()
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_STORED) as made:
        made.writestr("inner.zip", crowded())
    assert len(Archive(saved.getvalue(), "a.zip", "zip").members) == 1


@pytest.mark.parametrize("shift", [0, 8])
def test_members_that_share_bytes_are_refused(shift: int) -> None:
    """The directory may name one place, or places within a member, as often as it likes."""
    saved = BytesIO()
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("one.txt", "words and words")
        other = copy(made.getinfo("one.txt"))
        other.filename, other.header_offset = "two.txt", shift
        made.filelist.append(other)
    with pytest.raises(DamagedDocument, match=r"two\.txt shares bytes with one\.txt"):
        Archive(saved.getvalue(), "a.zip", "zip")


def test_members_one_after_the_other_are_read() -> None:
    saved = BytesIO()
    with zipfile.ZipFile(saved, "w") as made:
        for number in range(3):
            made.writestr(str(number), b"")
    assert len(Archive(b"before" + saved.getvalue(), "a.zip", "zip").members) == 3


def test_charset_of_the_media_type() -> None:
    assert detect(b"x", "a.txt", 'text/plain; charset="GB2312"').charset == "GB2312"
