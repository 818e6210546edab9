"""A Postgres server for the tests: `python -m tests.postgres pytest tests/retrieval`.

It runs a command while a server of its own listens on a free port, from a folder that is deleted
afterwards. The tests find it by FOOTNOTE_CI_DATABASE_URL, and give each engine a database of its
own there, copied from one that is migrated already. Whoever sets that themselves brings a server.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluation.services.postgres import PostgresServer

VARIABLE = "FOOTNOTE_CI_DATABASE_URL"

FAST = {"fsync": "off", "full_page_writes": "off"}


@contextmanager
def running(**options: str | int) -> Iterator[PostgresServer]:
    """A server that has started, with these of its options, stopped at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="footnote-postgres-") as folder,
        PostgresServer(Path(folder), **FAST, **options) as server,
    ):
        yield server


def main(command: list[str]) -> int:
    with running() as server:
        told = {**os.environ, VARIABLE: server.url}
        return subprocess.run(command, env=told, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
