"""Servers for the tests: `python -m tests.servers pytest tests/retrieval`.

It runs a command while a Postgres server, a Chroma server and a stand-in for S3 of its own listen
on free ports of this machine, and keep what they are told in folders that are deleted afterwards.
The tests find them by FOOTNOTE_CI_DATABASE_URL, FOOTNOTE_CI_CHROMA_URL and FOOTNOTE_CI_BLOBS_URL,
and give each engine a database, another one and a prefix of its own there.
"""

import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from moto.server import ThreadedMotoServer

from tests import postgres

CHROMA = "FOOTNOTE_CI_CHROMA_URL"
BLOBS = "FOOTNOTE_CI_BLOBS_URL"

_RETRIES = 7  # with httpx's own pauses of 0, 0.5, 1, 2 ... s; it takes 0.6 s to start here
_STOP = 30.0  # seconds
_BUCKET = "footnote-ci"


class ChromaServer:
    """A `chroma run` process over a folder. It can be stopped, and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        place = ["--path", str(self._folder), "--host", "127.0.0.1", "--port", str(self._port)]
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments
            [_program(), "run", *place],
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with httpx.Client(transport=httpx.HTTPTransport(retries=_RETRIES)) as client:
            client.get(f"{self.url}/api/v2/heartbeat").raise_for_status()

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(_STOP)
            self._process = None


@contextmanager
def chroma() -> Iterator[ChromaServer]:
    """A Chroma server that has started, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="footnote-chroma-") as folder:
        server = ChromaServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def s3() -> Iterator[Mapping[str, str]]:
    """A stand-in for S3 with a bucket: the environment in which it is found."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line a request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        told = {
            BLOBS: f"s3://{_BUCKET}",
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "footnote",
            "AWS_SECRET_ACCESS_KEY": "a secret of tests",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        httpx.put(f"{told['AWS_ENDPOINT_URL']}/{_BUCKET}", trust_env=False).raise_for_status()
        yield told
    finally:
        server.stop()


def _program() -> str:
    """The server that chromadb installs beside Python."""
    beside = Path(sys.executable).with_name("chroma")
    found = str(beside) if beside.exists() else shutil.which("chroma")
    if not found:
        raise RuntimeError("There is no Chroma server here: chromadb installed none")
    return found


def main(command: list[str]) -> int:
    with postgres.running() as database, chroma() as vectors, s3() as blobs:
        told = {postgres.VARIABLE: database.url, CHROMA: vectors.url, **blobs}
        return subprocess.run(command, env={**os.environ, **told}, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
