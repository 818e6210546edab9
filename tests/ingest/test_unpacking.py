"""Zip archives as folders of documents."""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest

from ingest.errors import DamagedDocument, TooLarge, UnsupportedMedia
from ingest.folder import ingest_paths
from ingest.sources import Patterns, upload
from ingest.types import Source
from ingest.unpacking import is_archive, unpack
from tests.conftest import OpenEngine
from tests.ingest.parsers.test_formats import deck, zipped
from tests.ingest.workshop import Workshop

FILES: dict[str, str | bytes] = {
    "a.md": "Zebra.",
    "deep/b.txt": "狮子。",
    "deep/picture.png": "no text",
    ".hidden.md": "x",
    "__MACOSX/a.md": "x",
    "inner.zip": zipped({"c.md": "x"}),
}


def archive(files: Mapping[str, str | bytes]) -> Source:
    return upload("all.zip", zipped(files), "application/zip", {"year": 2026})


def test_each_file_that_is_read_is_a_document() -> None:
    found = list(unpack(archive(FILES)))
    assert [(one.uri, one.name, one.data.decode()) for one in found] == [
        ("all.zip!/a.md", "a.md", "Zebra."),
        ("all.zip!/deep/b.txt", "deep/b.txt", "狮子。"),
    ]
    assert {one.metadata["year"] for one in found if one.metadata} == {2026}


def test_only_what_is_one_is_an_archive() -> None:
    assert is_archive(archive(FILES))
    assert not is_archive(upload("all.zip", b"text", None, None))
    assert not is_archive(upload("a.docx", zipped({"x": "y"}), None, None))


def test_a_document_that_is_announced_as_an_archive_is_a_document() -> None:
    assert not is_archive(upload("deck.zip", deck(), "application/zip", None))
    assert not is_archive(upload("deck", deck(), "application/zip", None))


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_what_is_deflated_is_unpacked(packing: int) -> None:
    saved = BytesIO()
    with zipfile.ZipFile(saved, "w", packing) as made:
        made.writestr("a.txt", "Zebra. " * 100)
    with pytest.raises(DamagedDocument, match="deflate"):
        list(unpack(upload("all.zip", saved.getvalue(), None, None)))


def test_a_name_that_cannot_be_shown_is_made_so() -> None:
    [found] = unpack(archive({"a\nb\x1b[31m.txt": "Zebra."}))
    assert found.name == "a_b_[31m.txt"


def test_an_archive_of_nothing_and_a_bomb_are_refused() -> None:
    with pytest.raises(UnsupportedMedia, match="no file of a kind"):
        list(unpack(archive({"x.png": "y"})))
    with pytest.raises(TooLarge):
        list(unpack(archive({"x.txt": b"\0" * 50_000_000})))


def test_a_folder_takes_archives(open_test_engine: OpenEngine, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "all.zip").write_bytes(zipped(FILES))
    (tmp_path / "in" / "bad.zip").write_bytes(b"PK\x03\x04 broken")
    shop = Workshop(open_test_engine)
    report = ingest_paths(shop.pipeline(), shop.kb, [tmp_path / "in"], Patterns(), lambda *_: None)
    assert [(row.name, row.outcome) for row in report.rows] == [
        ("a.md", "added"),
        ("deep/b.txt", "added"),
        ("bad.zip", "failed"),
    ]
    assert shop.found("zebra")[0].endswith("all.zip!/a.md")
