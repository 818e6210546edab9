"""The server that is measured: one of our own, a child on loopback, or one that runs already."""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Protocol

from evaluation.errors import LoadError
from evaluation.processes import end, how_it_ended, kill_session
from evaluation.resources import current_memory, highest_memory

_HOST = "127.0.0.1"
_START = 300.0  # seconds: the first one on a machine tries out what computes fastest
_STOPS = 15.0  # seconds; it gives answers on their way 5
_LOOK = 0.05  # seconds between two questions whether it is ready
_LAST = 20_000  # bytes of its log
_NO_REASON = ("Footnote: http", "Application startup failed")  # lines that tell none
# What would lead it out of its folder: a Chroma that others use, and folders to mirror.
_ASIDE = {"FOOTNOTE_CHROMA_URL": "", "FOOTNOTE_SYNC": "", "FOOTNOTE_LOG_FORMAT": "json"}
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Server(Protocol):
    """Where it is, whether it still is, and what memory it takes, where that can be known."""

    @property
    def url(self) -> str: ...

    def check(self, patience: float = 0.0) -> None:
        """Raises LoadError where it has ended, or does within so many seconds."""

    def memory(self) -> float | None:
        """Megabytes now."""

    def peak_memory(self) -> float | None:
        """Megabytes at the most."""


class Elsewhere:
    """A running server, of which nothing is known but its address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def check(self, patience: float = 0.0) -> None:
        """Whoever asks it sees whether it answers."""

    def memory(self) -> float | None:
        return None

    def peak_memory(self) -> float | None:
        return None


class OwnServer:
    """A child over a folder of its own. It ends when its standard input does, at the latest."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str] = _NOTHING
    ) -> None:
        """The command is given `--host`, `--port` and `--data`; `environment` beside this one's."""
        port = _free_port()
        self.url = f"http://{_HOST}:{port}"
        self.data = folder / "data"
        self._log = folder / "server.log"
        self._log.touch()
        place = ["--host", _HOST, "--port", str(port), "--data", str(self.data)]
        self._command = [*command, *place]
        self._environment = {**os.environ, **_ASIDE, **environment}
        self._process = self._started()

    @property
    def pid(self) -> int:
        return self._process.pid

    def restart(self) -> None:
        """Kill it (SIGKILL), and what it has started, and start it again in the same place."""
        self._process.kill()
        self._process.wait()
        self.close()
        self._process = self._started()

    def check(self, patience: float = 0.0) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._process.wait(patience)
            raise LoadError(f"The server {how_it_ended(status, list(self._complaints()))}")

    def wait_until(self, is_ready: Callable[[], Any], seconds: float = _START) -> None:
        """Until that raises no LoadError. Raises LoadError where it ends, or takes too long."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                is_ready()
            except LoadError as error:
                self.check()
                if time.monotonic() > deadline:
                    raise LoadError(f"Not ready within {seconds:g} s: {error}") from error
                time.sleep(_LOOK)
            else:
                return

    def memory(self) -> float | None:
        return current_memory(self._process.pid)

    def peak_memory(self) -> float | None:
        return highest_memory(self._process.pid)

    def close(self) -> None:
        """End it, by force where it doesn't; and with it what it has started."""
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        end(self._process, _STOPS)
        kill_session(self._process)

    def _started(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - this interpreter and a module of ours
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,  # an interrupt is for the parent, which ends it
            )

    def _complaints(self) -> Iterator[str]:
        """What it said last that doesn't say that all goes well."""
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - _LAST))
            for line in log.read().decode(errors="replace").splitlines():
                said = _complaint(line)
                if not said.startswith(_NO_REASON):
                    yield said


def _complaint(line: str) -> str:
    """What a line of a log says, where it is of something amiss, or of no log."""
    try:
        logged = json.loads(line)
    except ValueError:
        return line.strip()
    amiss = isinstance(logged, dict) and logged.get("level") in ("warning", "error", "critical")
    return str(logged.get("event", "")) if amiss else ""


@contextmanager
def own_server(
    command: Sequence[str], environment: Mapping[str, str] = _NOTHING
) -> Iterator[OwnServer]:
    """One that is gone with all that it has written when the block ends."""
    with TemporaryDirectory(prefix="footnote-serve-", ignore_cleanup_errors=True) as folder:
        server = OwnServer(command, Path(folder), environment)
        try:
            yield server
        finally:
            server.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
