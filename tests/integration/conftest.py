"""A real server in a process of its own, on a port of its own, with an empty home."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

_START = 180.0  # seconds that a loaded machine may take, the trial of backends included
_LOOK = 0.05


@dataclass
class Server:
    """A running server; `http` talks to it."""

    process: subprocess.Popen[bytes]
    http: httpx.Client
    log: Path

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process with a signal; its exit status."""
        self.http.close()
        self.process.send_signal(how)
        return self.process.wait(30)


StartServer = Callable[..., Server]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home, which is also the working directory of the server."""
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def start_server(tmp_path: Path, home: Path) -> Iterator[StartServer]:
    """Starts servers over one data directory, one after the other, or with directories of their
    own: processes of `footnote serve`, or of another command.
    """
    started: list[Server] = []

    def start(*command: str, **settings: str) -> Server:
        port = int(settings.get("FOOTNOTE_PORT", _free_port()))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FOOTNOTE_", "XDG_"))}
        environment = kept | {
            "HOME": str(home),
            "FOOTNOTE_DATA": str(tmp_path / "data"),
            "FOOTNOTE_PORT": str(port),
            "FOOTNOTE_EMBEDDING_MODEL": "hashing",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **settings,
        }
        log = tmp_path / f"server-{len(started)}.log"
        with log.open("wb") as output:
            run = [sys.executable, "-c", "from api.cli import main; main()", *command]
            process = subprocess.Popen(  # noqa: S603
                run if command else [*run, "serve"],
                env=environment,
                cwd=home,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        server = Server(process, http, log)
        started.append(server)
        _await_ready(server)
        return server

    yield start
    for server in started:
        server.http.close()
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait(30)


def _await_ready(server: Server) -> None:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log.read_text()
        try:
            if server.http.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(_LOOK)  # there is nothing to wait on but the port
    raise AssertionError(f"Not ready in {_START} s:\n{server.log.read_text()}")
