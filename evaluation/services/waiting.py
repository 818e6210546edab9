"""Waiting for a server that has been started."""

import subprocess
import time

import httpx

from evaluation.errors import LoadError

_SECONDS = 60.0
_LOOK = 0.05  # seconds


def wait_for(url: str, process: "subprocess.Popen[bytes]", what: str) -> None:
    """Until it answers. Raises LoadError where it ends, or never does."""
    deadline = time.monotonic() + _SECONDS
    with httpx.Client(trust_env=False) as client:
        while True:
            try:
                client.get(url).raise_for_status()
            except httpx.HTTPError as error:
                if process.poll() is not None:
                    raise LoadError(f"{what} ended with status {process.returncode}.") from error
                if time.monotonic() > deadline:
                    process.kill()
                    raise LoadError(f"{what} doesn't answer: {error}") from error
                time.sleep(_LOOK)
            else:
                return
