"""Where original bytes are kept: in the data directory, or in an object store."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

from retrieval import removal
from retrieval.database import Database
from retrieval.errors import StoreUnavailable
from retrieval.installation import Claimable, claim
from retrieval.ports import Blobs
from retrieval.settings import EngineSettings
from retrieval.stores.blobs import FileBlobs


class ClaimableBlobs(Blobs, Claimable, Protocol):
    """Original bytes where others might keep theirs, too."""


def originals(settings: EngineSettings) -> FileBlobs | ClaimableBlobs:
    """The place that the settings name, as it is. Raises InvalidRequest, StoreUnavailable."""
    if not settings.blobs_url:
        return FileBlobs(settings.data / "blobs")
    try:
        from retrieval.stores.s3_blobs import S3Blobs
    except ImportError as error:
        raise StoreUnavailable(
            "Original bytes in an object store need what reaches it: pip install 'footnote[s3]'."
        ) from error
    return S3Blobs(settings.blobs_url)


def open_originals(settings: EngineSettings, database: Database) -> Blobs:
    """The original bytes of a catalogue, in a place that is its alone.

    Raises InvalidRequest, StoreUnavailable.
    """
    blobs = originals(settings)
    if isinstance(blobs, FileBlobs):
        blobs.tidy()
        return blobs

    def strays() -> Iterator[str]:
        return removal.strays(database, blobs.digests())

    with ExitStack() as unless_claimed:
        unless_claimed.callback(blobs.close)
        where = f"place of original bytes, {settings.blobs_url},"
        claim(database, blobs, strays, where, "FOOTNOTE_BLOBS_URL")
        unless_claimed.pop_all()
    return blobs
