"""Zip archives as folders of documents."""

import tracemalloc
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


def named(*names: bytes) -> Source:
    """An archive of files whose names aren't flagged as UTF-8; each holds its number."""
    marks = [(b"%d" % at).rjust(len(name), b"~") for at, name in enumerate(names)]
    data = zipped({mark.decode(): str(at) for at, mark in enumerate(marks)})
    for mark, name in zip(marks, names, strict=True):
        assert data.count(mark) == 2  # in the file's own header, and in the directory
        data = data.replace(mark, name)
    return upload("all.zip", data, None, None)


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


def test_files_of_one_name_are_kept_apart() -> None:
    found = unpack(named(b"a\x01.txt", b"a\x02.txt", b"dir/b.txt", b"dir/b.txt", b"a\x01.txt"))
    assert [(one.uri, one.name, one.data) for one in found] == [
        ("all.zip!/a_.txt", "a_.txt", b"0"),
        ("all.zip!/a_ (2).txt", "a_ (2).txt", b"1"),
        ("all.zip!/dir/b.txt", "dir/b.txt", b"2"),
        ("all.zip!/dir/b (2).txt", "dir/b (2).txt", b"3"),
        ("all.zip!/a_ (3).txt", "a_ (3).txt", b"4"),
    ]


def test_a_number_that_is_taken_is_not_given() -> None:
    found = unpack(named(b"abc (2).txt", b"abc.txt", b"abc.txt"))
    assert [one.name for one in found] == ["abc (2).txt", "abc.txt", "abc (3).txt"]


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("狮子/报告.txt", "utf-8"),
        ("第1章.txt", "gb18030"),
        ("朱镕基.txt", "gb18030"),
        ("Müller.txt", "cp437"),
        ("Café Übersicht.txt", "cp437"),
    ],
)
def test_a_name_of_no_declared_encoding_is_read(name: str, encoding: str) -> None:
    [found] = unpack(named(name.encode(encoding)))
    assert (found.name, found.data) == (name, b"0")


def test_a_long_announcement_is_not_unpacked_to_tell_what_an_archive_is() -> None:
    bomb = archive({"mimetype": b"\0" * 50_000_000})
    tracemalloc.start()
    try:
        assert is_archive(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


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
