"""A process that answers orders: started, asked, and ended whatever it does."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from queue import Empty, SimpleQueue
from typing import TypeVar

from pydantic import TypeAdapter

from evaluation.embedding_bench.messages import ORDERS, Failed, Order
from evaluation.errors import TargetFailed
from evaluation.processes import end, how_it_ended
from evaluation.resources import on_cores

Answer = TypeVar("Answer")

WORKER = "evaluation.embedding_bench.worker"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
_LAST = 40  # lines of its errors that are kept
_GOODBYE = 5.0  # seconds for a process to end by itself


def environment(threads: int) -> dict[str, str]:
    """That of this process, with this number of threads for every library that asks."""
    return {**os.environ, **dict.fromkeys(_THREADS, str(threads))}


class Child:
    """A worker on so many cores."""

    def __init__(self, threads: int, patience: float, module: str = WORKER) -> None:
        """`patience` is how many seconds an answer may take."""
        self._patience = patience
        self._errors: deque[str] = deque(maxlen=_LAST)
        self._answers: SimpleQueue[str | None] = SimpleQueue()
        with on_cores(threads):
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter and a module of ours
                [sys.executable, "-P", "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=environment(threads),
                start_new_session=True,  # an interrupt is for the parent, which ends it
            )
        self._readers = [
            threading.Thread(target=read, daemon=True) for read in (self._hear, self._hear_errors)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def ask(self, order: Order, answer: type[Answer], patience: float | None = None) -> Answer:
        """The answer to an order. Raises TargetFailed where it is why there is none, and where
        the process dies or takes too long, which ends it.
        """
        allowed = self._patience if patience is None else patience
        with contextlib.suppress(OSError):  # it died: the answers end then, too
            self._send(order)
        try:
            line = self._answers.get(timeout=allowed)
        except Empty:
            self.close()
            raise TargetFailed(f"No answer within {allowed:.0f} seconds.") from None
        if line is None:
            raise TargetFailed(self._death())
        try:
            said = json.loads(line)
            if "failed" in said:
                raise TargetFailed(Failed(**said).failed)
            return TypeAdapter(answer).validate_python(said)
        except (ValueError, TypeError) as error:
            raise TargetFailed(f"The answer can't be read: {line[:200]!r}.") from error

    def close(self) -> None:
        """End the process, by force where it doesn't end when it is told nothing more."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        end(self._process, _GOODBYE)
        for reader in self._readers:
            reader.join()

    def _send(self, order: Order) -> None:
        if self._process.stdin:
            self._process.stdin.write(ORDERS.dump_json(order).decode() + "\n")
            self._process.stdin.flush()

    def _death(self) -> str:
        status = self._process.wait()
        self._readers[1].join()  # its last words
        return f"The process {how_it_ended(status, self._errors)}"

    def _hear(self) -> None:
        if self._process.stdout:
            with self._process.stdout as answers:
                for line in answers:
                    self._answers.put(line)
        self._answers.put(None)

    def _hear_errors(self) -> None:
        if self._process.stderr:
            with self._process.stderr as errors:
                self._errors.extend(errors)
