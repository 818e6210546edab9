"""A Postgres server of one's own, from the programs that are installed."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Self

from evaluation.errors import LoadError

_USER = "postgres"  # the server refuses to run as root
_HOST = "127.0.0.1"


class PostgresServer:
    """One in a folder, which becomes its user's. It can be stopped, and started again."""

    def __init__(self, folder: Path, **options: str | int) -> None:
        """`options` of its configuration, beside where it listens. Raises LoadError."""
        self._folder, self._options = folder, options
        self._programs = _programs()
        with socket.socket() as free:
            free.bind((_HOST, 0))
            self._port = free.getsockname()[1]
        if _is_root():
            shutil.chown(folder, _USER, _USER)
        make = ("--auth=trust", f"--username={_USER}", "--encoding=UTF8", "--locale=C.UTF-8")
        self._run("initdb", "--pgdata", str(folder / "data"), *make, "--no-sync")

    @property
    def url(self) -> str:
        return f"postgresql://{_USER}@{_HOST}:{self._port}/postgres"

    @property
    def pid(self) -> int:
        """Raises LoadError where it doesn't run."""
        if not self._lock.exists():
            raise LoadError("The Postgres server doesn't run.")
        return int(self._lock.read_text().split("\n", 1)[0])

    def start(self) -> None:
        asked = {"listen_addresses": _HOST, "max_connections": 300, **self._options}
        options = [f"-c {name}={value}" for name, value in asked.items()]
        place = f"-p {self._port} -k {self._folder}"
        log = str(self._folder / "log")
        told = " ".join([place, *options])
        self._run("pg_ctl", *self._data, "--log", log, "--options", told, "--wait", "start")

    def stop(self, mode: str = "fast") -> None:
        """`fast` ends its connections; `immediate` is as if it had crashed."""
        if self._lock.exists():
            self._run("pg_ctl", *self._data, "--mode", mode, "--wait", "stop")

    def crash(self) -> None:
        self.stop("immediate")

    def stall(self) -> None:
        """Let it hang: what is sent to it is acknowledged, and nobody is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.crash()

    @property
    def _lock(self) -> Path:
        """The file that is there while it runs, with its process id in the first line."""
        return self._folder / "data" / "postmaster.pid"

    @property
    def _data(self) -> tuple[str, str]:
        return "--pgdata", str(self._folder / "data")

    def _signal(self, which: signal.Signals) -> None:
        """To the server first, so that it starts no more processes meanwhile, and to all of its."""
        os.kill(self.pid, which)
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        for child in map(int, children.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, which)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if _is_root():
            command = ["runuser", "-u", _USER, "--", *command]
        # Not captured by a pipe, which the server would keep open.
        with (self._folder / "output").open("w+") as output:
            done = subprocess.run(command, stdout=output, stderr=output, check=False)  # noqa: S603
            if done.returncode:
                output.seek(0)
                raise LoadError(f"{program}: {output.read()}")


def _programs() -> Path:
    """The folder of the newest server that is installed; Debian has them beside the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if not installed:
        raise LoadError("There is no Postgres server here: apt-get install postgresql")
    return installed[-1].parent


def _version(program: Path) -> int:
    return int(program.parts[-3])


def _is_root() -> bool:
    return getpass.getuser() == "root"
