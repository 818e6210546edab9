"""A stand-in for S3 of one's own, by moto: it forgets all when it ends."""

import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Self

import httpx

from evaluation.errors import LoadError
from evaluation.services.waiting import wait_for

_HOST = "127.0.0.1"
_BUCKET = "footnote"


class ObjectStore:
    """A process with a bucket, while the block lasts. It can be made to hang."""

    def __init__(self) -> None:
        if not find_spec("moto"):
            raise LoadError("There is no stand-in for S3 here: pip install 'moto[server]'")
        with socket.socket() as free:
            free.bind((_HOST, 0))
            self._port = free.getsockname()[1]

    @property
    def url(self) -> str:
        """As FOOTNOTE_BLOBS_URL has it."""
        return f"s3://{_BUCKET}"

    @property
    def environment(self) -> Mapping[str, str]:
        """In which S3's clients find it."""
        return {
            "AWS_ENDPOINT_URL": f"http://{_HOST}:{self._port}",
            "AWS_ACCESS_KEY_ID": "footnote",
            "AWS_SECRET_ACCESS_KEY": "a secret of tests",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def pid(self) -> int:
        return self._process.pid

    def stall(self) -> None:
        """Let it hang: what is sent to it is taken, and nobody is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter and a module
            [sys.executable, "-m", "moto.server", "-H", _HOST, "-p", str(self._port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        place = f"http://{_HOST}:{self._port}"
        wait_for(f"{place}/moto-api/", self._process, "The stand-in for S3")
        httpx.put(f"{place}/{_BUCKET}", trust_env=False).raise_for_status()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
