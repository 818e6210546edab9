"""A PgBouncer before a Postgres server, for the tests."""

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

needs_pgbouncer = pytest.mark.skipif(not PROGRAM, reason="needs pgbouncer")

_SOON = 30.0  # seconds until it listens at the latest
_HOST = "127.0.0.1"
# Everything else is as it is by default.
_CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = {listen}
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = session
default_pool_size = {connections}
"""


@contextmanager
def bouncing(url: str, connections: int = 20) -> Iterator[str]:
    """The URL by which a database is reached through one, that opens so many connections to it."""
    there = make_url(url)
    with socket.socket() as free:
        free.bind((_HOST, 0))
        own: int = free.getsockname()[1]
    told = _CONFIGURATION.format(
        host=there.host,
        port=there.port,
        user=there.username,
        listen=_HOST,
        own=own,
        connections=connections,
    )
    with tempfile.TemporaryDirectory(prefix="footnote-pgbouncer-") as folder:
        file = Path(folder) / "pgbouncer.ini"
        file.write_text(told)
        command = [str(PROGRAM), str(file)]
        if getpass.getuser() == "root":  # as which it refuses to run
            shutil.chown(folder, "postgres", "postgres")
            command += ["--user", "postgres"]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(command, stderr=log)  # noqa: S603
        try:
            _await(own, process, Path(folder) / "log")
            yield there.set(host=_HOST, port=own).render_as_string(hide_password=False)
        finally:
            process.kill()
            process.wait()


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _SOON
    while True:
        try:
            socket.create_connection((_HOST, port)).close()
        except OSError:
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        else:
            return
