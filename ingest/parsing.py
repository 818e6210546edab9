"""Parsing in a process of its own: a crash or a hang there costs one file, never the server."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
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
_LOOK = 0.5  # seconds between two looks whether a file is still wanted


GoOn = Callable[[], None]
"""Called now and then during long work; what it raises ends that."""


def always() -> None:
    """Whoever asks waits to the end."""


class Parser(Protocol):
    """Turns bytes into text."""

    def parse(
        self, data: bytes, name: str, media_type: str | None = None, go_on: GoOn = always
    ) -> Parsed:
        """Raises UnreadableDocument, TooLarge, ParserStopped, or what `go_on` raises."""


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

    def parse(
        self, data: bytes, name: str, media_type: str | None = None, go_on: GoOn = always
    ) -> Parsed:
        """See `parsers.parse`. Raises its errors, ParserStopped, and what `go_on` raises."""
        reply = self._ask(ParseTask(name, media_type, self._limits), data, go_on)
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

    def _ask(self, task: Task, data: bytes, go_on: GoOn = always) -> Reply:
        worker = self._take()
        try:
            reply = worker.ask(task, data, go_on)
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

    def ask(self, task: Task, data: bytes, go_on: GoOn) -> Reply:
        """What the process makes of a task. Raises ParserStopped, and what `go_on` raises."""
        with self._turn:
            return self._exchange(task, data, go_on)

    def _exchange(self, task: Task, data: bytes, go_on: GoOn) -> Reply:
        process = self._started()
        deadline = time.monotonic() + self._seconds

        def go_on_in_time() -> None:
            if time.monotonic() >= deadline:
                raise ParserStopped(
                    f"{task.name} took longer than {self._seconds:g} s to read and was given up."
                )
            go_on()

        watch = _Watch(process, go_on_in_time)
        try:
            assert process.stdin and process.stdout  # noqa: S101 - both are pipes
            send(process.stdin, TASK.dump_json(task), data)
            reply = REPLY.validate_json(receive(process.stdout))
            return replace(reply, data=receive(process.stdout))
        except (EOFError, OSError, ValueError) as error:
            self._stop()
            if watch.stopped:
                raise watch.stopped from error
            raise ParserStopped(f"The parser died while it read {task.name}.") from error
        except BaseException:
            self._stop()  # what it still says must not be taken for the next reply
            raise
        finally:
            watch.end()
            if watch.stopped:
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


class _Watch:
    """Kills a process as soon as `go_on` raises: native code that doesn't return heeds no less."""

    stopped: BaseException | None = None

    def __init__(self, process: "subprocess.Popen[bytes]", go_on: GoOn) -> None:
        self._process, self._go_on = process, go_on
        self._over = threading.Event()
        self._thread = threading.Thread(target=copy_context().run, args=(self._look,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK):
            try:
                self._go_on()
            except BaseException as error:  # noqa: BLE001 - raised to who waits for the process
                self.stopped = error
                self._process.kill()
                return


class InProcessParser:
    """Parses in this process: for tests, and where nobody else waits."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits

    def parse(
        self,
        data: bytes,
        name: str,
        media_type: str | None = None,
        go_on: GoOn = always,  # noqa: ARG002 - it can't be ended
    ) -> Parsed:
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
