"""Original bytes on disk."""

from pathlib import Path

import pytest

from retrieval.errors import DataLost, StoreUnavailable
from retrieval.stores.blobs import FileBlobs


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs")


def test_bytes_come_back_and_equal_ones_are_kept_once(blobs: FileBlobs, tmp_path: Path) -> None:
    digest = blobs.put(b"some bytes")
    assert blobs.put(b"some bytes") == digest
    assert blobs.get(digest) == b"some bytes"
    assert blobs.has(digest) and not blobs.has("0" * 64)
    assert list(blobs.digests()) == [digest]
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 1


def test_what_is_deleted_is_gone(blobs: FileBlobs) -> None:
    digest = blobs.put(b"")
    blobs.delete(digest)
    blobs.delete(digest)
    assert not blobs.has(digest)
    with pytest.raises(DataLost, match="gone"):
        blobs.get(digest)


def test_damage_is_noticed(blobs: FileBlobs, tmp_path: Path) -> None:
    digest = blobs.put(b"some bytes")
    (tmp_path / "blobs" / digest[:2] / digest).write_bytes(b"other bytes")
    with pytest.raises(DataLost, match="damaged"):
        blobs.get(digest)


def test_what_an_interrupted_write_left_is_tidied_away(blobs: FileBlobs, tmp_path: Path) -> None:
    digest = blobs.put(b"some bytes")
    aside = tmp_path / "blobs" / digest[:2] / ".part-abc"
    aside.write_bytes(b"so")
    assert list(blobs.digests()) == [digest]
    blobs.tidy()
    assert not aside.exists()
    assert blobs.has(digest)


def test_a_disk_that_takes_nothing_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("not a folder")
    blobs = FileBlobs(tmp_path / "blobs")
    with pytest.raises(StoreUnavailable, match="can't be written"):
        blobs.put(b"x")
    with pytest.raises(StoreUnavailable):
        blobs.get("0" * 64)
    with pytest.raises(StoreUnavailable, match="can't be deleted"):
        blobs.delete("0" * 64)


def test_bytes_that_were_damaged_are_mended_by_sending_them_again(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    digest = blobs.put(b"some bytes")
    [path] = [path for path in tmp_path.rglob(digest) if path.is_file()]
    path.write_bytes(b"some")
    with pytest.raises(DataLost):
        blobs.get(digest)
    assert blobs.put(b"some bytes") == digest
    assert blobs.get(digest) == b"some bytes"
