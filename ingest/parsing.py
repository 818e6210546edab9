"""Parsing in a process of its own: a crash or a hang there costs one file, never the server."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, TypeVar

from ingest import errors, parsers
from ingest.errors import IngestError, ParserStopped
from ingest.parser_process import (
    REPLY,
    TASK,
    BoxesTask,
    ParseTask,
    PictureTask,
    Reply,
    Task,
    receive,
    send,
)
from ingest.types import PageBoxes, Parsed, ParseLimits, Picture
from retrieval.types import Box, Page

T = TypeVar("T")

_PATIENCE = 2.0  # seconds that a file waits for a process before another is started
_MOST = 4  # processes side by side


class Parser(Protocol):
    """Turns bytes into text."""

    def parse(self, data: bytes, name: str, media_type: str | None = None) -> Parsed:
        """Raises UnreadableDocument, TooLarge or ParserStopped."""


class ProcessParser:
    """Reads files in worker processes, each replaced when it dies or runs out of time.

    One does for most: parsing takes a few milliseconds a page, embedding a hundred. Behind a file
    that takes long another is started, so that nobody else waits for it.
    """

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits
        self._closed = False
        self._changed = threading.Condition()
        self._idle: list[_Worker] = []
        self._workers: list[_Worker] = []

    def parse(self, data: bytes, name: str, media_type: str | None = None) -> Parsed:
        """See `parsers.parse`. Raises its errors, and ParserStopped."""
        reply = self._ask(ParseTask(name, media_type, self._limits), data)
        return _given(reply.parsed, f"text for {name}")

    def boxes(self, data: bytes, name: str, page: Page, start: int, end: int) -> PageBoxes:
        """See `parsers.boxes`. Raises its errors, and ParserStopped."""
        reply = self._ask(BoxesTask(name, page, start, end), data)
        return _given(reply.boxes, f"boxes for {name}")

    def picture(
        self, data: bytes, name: str, number: int, scale: float, boxes: tuple[Box, ...] = ()
    ) -> Picture:
        """See `parsers.picture`. Raises its errors, and ParserStopped."""
        reply = self._ask(PictureTask(name, number, scale, boxes), data)
        return Picture(reply.data, _given(reply.scale, f"picture for {name}"))

    def close(self) -> None:
        """Stop the processes, also in the middle of a file, which then fails."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            workers = [*self._workers]
        for worker in workers:
            worker.close()

    def _ask(self, task: Task, data: bytes) -> Reply:
        worker = self._take()
        try:
            reply = worker.ask(task, data)
        finally:
            self._give_back(worker)
        if reply.refusal is not None:
            raise _ERRORS.get(reply.refusal.kind, ParserStopped)(reply.refusal.message)
        return reply

    def _take(self) -> "_Worker":
        """A worker that is idle; a new one where none is for a while, unless there are many."""
        with self._changed:
            if self._workers:
                self._changed.wait_for(self._is_ready, _PATIENCE)
            if not self._idle and len(self._workers) >= _MOST:
                self._changed.wait_for(self._is_ready)
            if self._closed:
                raise ParserStopped("The parser is closed.")
            if self._idle:
                return self._idle.pop()
            self._workers.append(_Worker(self._limits.seconds))
            return self._workers[-1]

    def _is_ready(self) -> bool:
        return bool(self._closed or self._idle)

    def _give_back(self, worker: "_Worker") -> None:
        with self._changed:
            surplus = bool(self._idle)
            if surplus:
                self._workers.remove(worker)
            else:
                self._idle.append(worker)
            self._changed.notify()
        if surplus:
            worker.close()


class _Worker:
    """One process, which reads one file at a time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._closed = False
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """Stop the process, also in the middle of a file."""
        self._closed = True
        if process := self._process:
            process.kill()
        with self._turn:
            self._stop()

    def ask(self, task: Task, data: bytes) -> Reply:
        """What the process makes of a task. Raises ParserStopped."""
        with self._turn:
            return self._exchange(task, data)

    def _exchange(self, task: Task, data: bytes) -> Reply:
        process = self._started()
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()  # the only way to stop native code that doesn't return

        timer = threading.Timer(self._seconds, give_up)
        timer.start()
        try:
            assert process.stdin and process.stdout  # noqa: S101 - both are pipes
            send(process.stdin, TASK.dump_json(task), data)
            reply = REPLY.validate_json(receive(process.stdout))
            return replace(reply, data=receive(process.stdout))
        except (EOFError, OSError, ValueError) as error:
            self._stop()
            if late.is_set():
                raise ParserStopped(
                    f"{task.name} took longer than {self._seconds:g} s to read and was given up."
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


def _given(part: T | None, what: str) -> T:
    """The part of a reply that was asked for. Raises ParserStopped."""
    if part is None:
        raise ParserStopped(f"The parser gave no {what}.")
    return part


_ERRORS: dict[str, type[IngestError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, IngestError)
}
