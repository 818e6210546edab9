"""A Postgres server for the tests: `python -m tests.postgres pytest tests/retrieval`.

It runs a command while a server of its own listens on a free port, from a folder that is deleted
afterwards. The tests find it by FOOTNOTE_CI_DATABASE_URL, and give each engine a database of its
own there, copied from one that is migrated already. Whoever sets that themselves brings a server.
"""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "FOOTNOTE_CI_DATABASE_URL"

_USER = "postgres"  # the server refuses to run as root
_FAST = ("fsync=off", "full_page_writes=off", "max_connections=300")


class Server:
    """A Postgres server in a folder. It can be stopped, and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = _programs()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        if _is_root():
            shutil.chown(folder, _USER, _USER)
        make = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8")
        self._run("initdb", "--pgdata", str(folder / "data"), *make, "--no-sync")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = [f"-c {one}" for one in (*_FAST, "listen_addresses=127.0.0.1")]
        asked = " ".join([f"-p {self._port} -k {self._folder}", *options])
        log = str(self._folder / "log")
        self._run("pg_ctl", *self._data, "--log", log, "--options", asked, "--wait", "start")

    def stop(self, mode: str = "fast") -> None:
        """`fast` ends its connections; `immediate` is as if it had crashed."""
        if not (self._folder / "data" / "postmaster.pid").exists():
            return
        self._run("pg_ctl", *self._data, "--mode", mode, "--wait", "stop")

    @property
    def _data(self) -> tuple[str, str]:
        return "--pgdata", str(self._folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if _is_root():
            command = ["runuser", "-u", _USER, "--", *command]
        # Not captured by a pipe, which the server would keep open.
        with (self._folder / "output").open("w+") as output:
            done = subprocess.run(command, stdout=output, stderr=output, check=False)  # noqa: S603
            if done.returncode:
                output.seek(0)
                raise RuntimeError(f"{program}: {output.read()}")


@contextmanager
def running() -> Iterator[Server]:
    """A server that has started, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="footnote-postgres-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def _programs() -> Path:
    """The folder of the newest server that is installed; Debian has them beside the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if not installed:
        raise RuntimeError("There is no Postgres server here: apt-get install postgresql")
    return installed[-1].parent


def _version(program: Path) -> int:
    return int(program.parts[-3])


def _is_root() -> bool:
    return getpass.getuser() == "root"


def main(command: list[str]) -> int:
    with running() as server:
        told = {**os.environ, VARIABLE: server.url}
        return subprocess.run(command, env=told, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
