"""Another process that holds a SQLite file, as a tool that somebody left open does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLD = """
import sqlite3, sys
path, kind = sys.argv[1:]
connection = sqlite3.connect(path, isolation_level=None)
connection.execute(f"BEGIN {kind}")
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(path: Path, kind: str = "EXCLUSIVE") -> Iterator[int]:
    """The id of a process that has a transaction of this kind open, until the block ends."""
    with subprocess.Popen(  # noqa: S603 - ours alone
        [sys.executable, "-c", _HOLD, str(path), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        try:
            yield process.pid
        finally:
            process.kill()
