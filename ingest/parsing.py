"""Parsing in a process of its own: a crash or a hang there costs one file, never the server."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Protocol

from ingest import errors, parsers
from ingest.errors import IngestError, ParserStopped
from ingest.parser_process import REPLY, TASK, BoxesTask, ParseTask, Reply, Task, receive, send
from ingest.types import Parsed, ParseLimits
from retrieval.types import Box, Page


class Parser(Protocol):
    """Turns bytes into text."""

    def parse(self, data: bytes, name: str, media_type: str | None = None) -> Parsed:
        """Raises UnreadableDocument, TooLarge or ParserStopped."""


class ProcessParser:
    """Reads files in one worker process, replaced when it dies or runs out of time.

    One process does: parsing takes a few milliseconds a page, embedding a hundred.
    """

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits
        self._closed = False
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def parse(self, data: bytes, name: str, media_type: str | None = None) -> Parsed:
        """See `parsers.parse`. Raises its errors, and ParserStopped."""
        parsed = self._ask(ParseTask(name, media_type, self._limits), data).parsed
        if parsed is None:
            raise ParserStopped(f"The parser gave no text for {name}.")
        return parsed

    def boxes(self, data: bytes, name: str, page: Page, start: int, end: int) -> tuple[Box, ...]:
        """See `parsers.boxes`. Raises its errors, and ParserStopped."""
        return self._ask(BoxesTask(name, page, start, end), data).boxes or ()

    def close(self) -> None:
        """Stop the process, also in the middle of a file, which then fails."""
        self._closed = True
        if process := self._process:
            process.kill()
        with self._turn:
            self._stop()

    def _ask(self, task: Task, data: bytes) -> Reply:
        with self._turn:
            reply = self._exchange(task, data)
        if reply.refusal is not None:
            raise _ERRORS.get(reply.refusal.kind, ParserStopped)(reply.refusal.message)
        return reply

    def _exchange(self, task: Task, data: bytes) -> Reply:
        process = self._started()
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()  # the only way to stop native code that doesn't return

        timer = threading.Timer(self._limits.seconds, give_up)
        timer.start()
        try:
            assert process.stdin and process.stdout  # noqa: S101 - both are pipes
            send(process.stdin, TASK.dump_json(task), data)
            return REPLY.validate_json(receive(process.stdout))
        except (EOFError, OSError, ValueError) as error:
            self._stop()
            if late.is_set():
                raise ParserStopped(
                    f"{task.name} took longer than {self._limits.seconds:g} s to read and was "
                    f"given up."
                ) from error
            raise ParserStopped(f"The parser died while it read {task.name}.") from error
        except BaseException:
            self._stop()  # what it still says must not be taken for the next reply
            raise
        finally:
            timer.cancel()
            timer.join()
            if late.is_set():
                self._stop()

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._closed:
            raise ParserStopped("The parser is closed.")
        if self._process is None or self._process.poll() is not None:
            self._stop()
            # -P: a file in the working directory is never taken for a module of ours.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ingest.parser_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # it computes nothing
            )
        return self._process

    def _stop(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        with suppress(BrokenPipeError), process:  # closes the pipes and waits
            pass


class InProcessParser:
    """Parses in this process: for tests, and where nobody else waits."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits

    def parse(self, data: bytes, name: str, media_type: str | None = None) -> Parsed:
        return parsers.parse(data, name, media_type, self._limits)


_ERRORS: dict[str, type[IngestError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, IngestError)
}
