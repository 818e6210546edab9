"""Original bytes on disk."""

from pathlib import Path

import pytest

from retrieval.errors import StoreUnavailable
from retrieval.stores.blobs import FileBlobs
from tests.contracts.blobs import BlobsContract, Spoil


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs")


class TestFileBlobs(BlobsContract):
    @pytest.fixture
    def spoil(self, tmp_path: Path) -> Spoil:
        def spoil(digest: str, data: bytes) -> None:
            (tmp_path / "blobs" / digest[:2] / digest).write_bytes(data)

        return spoil


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
