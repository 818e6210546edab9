"""Where the vectors and original bytes of tests are kept: with the data, or on `tests.servers`.

There a data directory has a Chroma database and a prefix of its own, for as long as the test runs
that made it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from retrieval.stores.chroma_settings import ChromaSettings
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
            there = f"{SERVER}/api/v2/tenants/default_tenant/databases/{name}"
            answer = httpx.delete(there, trust_env=False)
            assert answer.is_success or answer.status_code == 404


def _name(directory: Path) -> str:
    return _names.setdefault(directory, f"test-{uuid4().hex}")
