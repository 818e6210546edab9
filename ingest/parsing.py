"""Parsing in processes of its own: a crash or a hang there costs one file, never the server."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from ingest import parsers
from ingest.errors import ParserStopped
from ingest.types import Parsed, ParseLimits


class Parser(Protocol):
    """Turns bytes into text."""

    def parse(self, data: bytes, name: str, media_type: str | None) -> Parsed:
        """Raises UnreadableDocument, TooLarge or ParserStopped."""


class ProcessParser:
    """Parses in one worker process, replaced when it dies or runs out of time.

    One process does: parsing takes a few milliseconds a page, embedding a hundred.
    """

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits
        self._turn = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def parse(self, data: bytes, name: str, media_type: str | None = None) -> Parsed:
        with self._turn:
            future = self._worker().submit(parsers.parse, data, name, media_type, self._limits)
            return self._result(future, name)

    def close(self) -> None:
        with self._turn:
            self._discard()

    def _result(self, future: "Future[Parsed]", name: str) -> Parsed:
        try:
            return future.result(timeout=self._limits.seconds)
        except TimeoutError as error:
            self._discard()
            raise ParserStopped(
                f"{name} took longer than {self._limits.seconds:g} s to read and was given up."
            ) from error
        except BrokenProcessPool as error:
            self._discard()
            raise ParserStopped(f"The parser died while it read {name}.") from error

    def _worker(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Spawned, not forked: this process has threads, and locks that they hold.
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        return self._pool

    def _discard(self) -> None:
        if self._pool is None:
            return
        for process in list((self._pool._processes or {}).values()):
            process.kill()  # the only way to stop native code that doesn't return
        self._pool.shutdown(cancel_futures=True)
        self._pool = None


class InProcessParser:
    """Parses in this process: for tests, and where nobody else waits."""

    def __init__(self, limits: ParseLimits) -> None:
        self._parse: Callable[..., Parsed] = parsers.parse
        self._limits = limits

    def parse(self, data: bytes, name: str, media_type: str | None = None) -> Parsed:
        return self._parse(data, name, media_type, self._limits)

    def close(self) -> None:
        """Nothing to close."""
