"""What every store of original bytes must do. An adapter's tests inherit `BlobsContract`."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from retrieval.errors import DataLost
from retrieval.ports import Blobs

Spoil: TypeAlias = Callable[[str, bytes], None]
"""Puts other bytes where those of a digest are, behind the store's back."""


class BlobsContract:
    """Inherit it, and give it fixtures `blobs`, an empty store, and `spoil`."""

    def test_bytes_come_back_and_equal_ones_are_kept_once(self, blobs: Blobs) -> None:
        digest = blobs.put(b"some bytes")
        assert blobs.put(b"some bytes") == digest
        assert blobs.get(digest) == b"some bytes"
        assert blobs.has(digest) and not blobs.has("0" * 64)
        assert list(blobs.digests()) == [digest]

    def test_all_are_listed(self, blobs: Blobs) -> None:
        assert list(blobs.digests()) == []
        digests = {blobs.put(f"{n}".encode()) for n in range(40)}
        assert len(digests) == 40
        assert {*blobs.digests()} == digests

    def test_what_is_deleted_is_gone(self, blobs: Blobs) -> None:
        digest = blobs.put(b"")
        assert blobs.get(digest) == b""
        blobs.delete(digest)
        blobs.delete(digest)
        assert not blobs.has(digest)
        with pytest.raises(DataLost, match="gone"):
            blobs.get(digest)

    def test_damage_is_noticed(self, blobs: Blobs, spoil: Spoil) -> None:
        digest = blobs.put(b"some bytes")
        spoil(digest, b"same sized")
        with pytest.raises(DataLost, match="damaged"):
            blobs.get(digest)

    def test_bytes_that_were_damaged_are_mended_by_sending_them_again(
        self, blobs: Blobs, spoil: Spoil
    ) -> None:
        digest = blobs.put(b"some bytes")
        spoil(digest, b"same sized")
        assert blobs.put(b"some bytes") == digest
        assert blobs.get(digest) == b"some bytes"

    @pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 63, "A" * 64, "x" * 64])
    def test_what_is_no_digest_is_no_name(self, blobs: Blobs, name: str) -> None:
        for use in (blobs.get, blobs.has, blobs.delete):
            with pytest.raises(DataLost, match="isn't the name of original bytes"):
                use(name)
