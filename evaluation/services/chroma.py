"""A Chroma server of one's own: the one that chromadb brings along."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

from evaluation.errors import LoadError
from evaluation.services.waiting import wait_for

_HOST = "127.0.0.1"
_STOP = 30.0  # seconds


class ChromaServer:
    """A `chroma run` process over a folder. It can be stopped, and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind((_HOST, 0))
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """Raises LoadError where it doesn't run."""
        if not self._process:
            raise LoadError("The Chroma server doesn't run.")
        return self._process.pid

    def start(self) -> None:
        """Raises LoadError."""
        place = ["--path", str(self._folder), "--host", _HOST, "--port", str(self._port)]
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments
            [_program(), "run", *place],
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(f"{self.url}/api/v2/heartbeat", self._process, "The Chroma server")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(_STOP)
            self._process = None

    def crash(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _program() -> str:
    """The server that chromadb installs beside Python. Raises LoadError."""
    beside = Path(sys.executable).with_name("chroma")
    found = str(beside) if beside.exists() else shutil.which("chroma")
    if not found:
        raise LoadError("There is no Chroma server here: chromadb installed none")
    return found
