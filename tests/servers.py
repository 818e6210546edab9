"""Servers for the tests: `python -m tests.servers pytest tests/retrieval`.

It runs a command while a Postgres server, a Chroma server and a stand-in for S3 of its own listen
on free ports of this machine, and keep what they are told in folders that are deleted afterwards.
The tests find them by FOOTNOTE_CI_DATABASE_URL, FOOTNOTE_CI_CHROMA_URL and FOOTNOTE_CI_BLOBS_URL,
and give each engine a database, another one and a prefix of its own there.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from evaluation.services.chroma import ChromaServer
from evaluation.services.object_store import ObjectStore
from evaluation.services.shared import shared_services
from tests import postgres

CHROMA = "FOOTNOTE_CI_CHROMA_URL"
BLOBS = "FOOTNOTE_CI_BLOBS_URL"


@contextmanager
def chroma() -> Iterator[ChromaServer]:
    """A Chroma server that has started, stopped at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="footnote-chroma-") as folder,
        ChromaServer(Path(folder)) as server,
    ):
        yield server


@contextmanager
def s3() -> Iterator[Mapping[str, str]]:
    """A stand-in for S3 with a bucket: the environment in which it is found."""
    with ObjectStore() as store:
        yield {BLOBS: store.url, **store.environment}


def main(command: list[str]) -> int:
    with shared_services(**postgres.FAST) as services:
        found = services.environment.items()
        told = {name.replace("FOOTNOTE_", "FOOTNOTE_CI_"): value for name, value in found}
        return subprocess.run(command, env={**os.environ, **told}, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
