"""Where the vectors and original bytes of tests are kept: with the data, or on `tests.servers`.

There a data directory has a Chroma database and a prefix of its own, for as long as the test runs
that made it.
"""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from retrieval.stores.chroma_settings import ChromaSettings
from retrieval.stores.s3_blobs import S3Blobs
from tests.servers import BLOBS, CHROMA

SERVER = os.environ.get(CHROMA, "")
BUCKET = os.environ.get(BLOBS, "")

embedded_vectors = pytest.mark.skipif(bool(SERVER), reason="of the files of an embedded Chroma")
originals_on_disk = pytest.mark.skipif(bool(BUCKET), reason="of original bytes in files")

_names: dict[Path, str] = {}  # of directories


def chroma_of(directory: Path) -> ChromaSettings:
    """The Chroma database of a directory; an embedded one where there is no server."""
    return ChromaSettings(SERVER, database=_name(directory)) if SERVER else ChromaSettings()


def blobs_of(directory: Path) -> str:
    """Where the original bytes of a directory are; empty for those in it."""
    return f"{BUCKET}/{_name(directory)}" if BUCKET else ""


@contextmanager
def dropping() -> Iterator[None]:
    """What is made in the block is gone after it."""
    before = {*_names}
    yield
    for directory in _names.keys() - before:
        name = _names.pop(directory)
        if SERVER:
            _drop(name)


def move_originals(source: Path, to: Path) -> None:
    """Let a directory have the original bytes of another."""
    if not BUCKET:
        (source / "blobs").rename(to / "blobs")
        return
    with closing(S3Blobs(blobs_of(source))) as theirs, closing(S3Blobs(blobs_of(to))) as mine:
        for digest in theirs.digests():
            mine.put(theirs.get(digest))


def _drop(name: str) -> None:
    """Delete a database, which a server that others write to refuses with "database is locked"."""
    there, until = f"{SERVER}/api/v2/tenants/default_tenant/databases/{name}", time.monotonic() + 60
    while True:
        answer = httpx.delete(there, trust_env=False)
        if answer.is_success or answer.status_code == HTTPStatus.NOT_FOUND:
            return
        assert "locked" in answer.text and time.monotonic() < until, answer.text
        time.sleep(0.1)


def _name(directory: Path) -> str:
    return _names.setdefault(directory, f"test-{uuid4().hex}")
