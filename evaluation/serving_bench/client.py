"""Those who ask a server: one after the other at once, or when they come."""

import errno
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any
from urllib.parse import quote

import anyio
import orjson
from anyio.from_thread import BlockingPortal

from evaluation.errors import LoadError
from evaluation.exchange import Reply, exchange
from evaluation.open_loop import open_loop
from evaluation.serving_bench.figures import Call

_OK = 200
_FIELDS = {Call.SEARCH: "query", Call.ASK: "question"}


@dataclass(slots=True)
class Asked:
    """What came of requests: seconds of each, None where no answer came; `seconds` and processor
    time of all.
    """

    latencies: list[float | None] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    said: str = ""
    seconds: float = 0.0
    processor: float = 0.0

    @property
    def answered(self) -> int:
        return sum(one is not None for one in self.latencies)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / max(self.seconds, 1e-9)


class Client:
    """Asks a knowledge base of a server, each time another question."""

    def __init__(
        self, url: str, kb: str, questions: Iterator[str], portal: BlockingPortal, patience: float
    ) -> None:
        """`patience` is how many seconds an answer may take."""
        self.path = f"/kb/{quote(kb, safe='')}"
        self._url, self.place = url, f"{url}{self.path}"
        self._questions, self._portal, self._patience = questions, portal, patience

    def tell(self, method: str, path: str, value: Any = None) -> Any:
        """What the server replies to one call. Raises LoadError where it doesn't, or refuses."""
        url = f"{self._url}{path}"
        body = b"" if value is None else orjson.dumps(value)
        try:
            reply = self._portal.call(self._within_patience, method, url, body)
            if not _is_fine(reply):
                raise LoadError(f"{method} {url} is answered with {reply.status}: {reply.said}")
            return orjson.loads(reply.content)
        except (OSError, ValueError) as error:
            raise LoadError(f"{url} doesn't answer: {reason(error)}.") from error

    def closed_loop(self, call: Call, clients: int, seconds: float) -> Asked:
        """So many clients that ask again as soon as they are answered. Raises LoadError where
        none is.
        """
        found = Asked()
        with _timed(found):
            self._portal.call(self._clients, call, clients, perf_counter() + seconds, found)
        return self._checked(call, found)

    def open_loop(self, call: Call, due: list[float]) -> Asked:
        """Requests that come when they are due, whatever has become of those before them. Raises
        LoadError where none is answered.
        """
        found = Asked()

        def submit(_number: int) -> "Future[Any]":
            return self._portal.start_task_soon(self._ask, call, found)

        with _timed(found):
            found.latencies = open_loop(due, submit, self._patience + 1)
        missing = len(due) - found.answered - found.errors.total()
        found.errors += Counter({"timeout": missing})  # those that were given up
        return self._checked(call, found)

    async def _clients(self, call: Call, clients: int, end: float, found: Asked) -> None:
        async def ask_again_and_again() -> None:
            now = 0.0  # each asks once, however late it comes to it
            while now < end:
                began = perf_counter()
                try:
                    await self._ask(call, found)
                except _NoAnswer as failure:
                    found.latencies.append(None)
                    if not failure.came:  # the next one would end as soon
                        return
                else:
                    found.latencies.append(perf_counter() - began)
                now = perf_counter()

        async with anyio.create_task_group() as group:
            for _ in range(clients):
                group.start_soon(ask_again_and_again)

    async def _ask(self, call: Call, found: Asked) -> None:
        """Raises _NoAnswer, having counted it."""
        body = orjson.dumps({_FIELDS[call]: next(self._questions)})
        try:
            reply = await self._within_patience("POST", f"{self.place}/{call}", body)
        except OSError as error:
            found.errors[_kind(error)] += 1
            found.said = reason(error)
            raise _NoAnswer(came=False) from error
        if reply.status != _OK:
            found.errors[str(reply.status)] += 1
            found.said = f"{reply.status}: {reply.said}"
            raise _NoAnswer(came=True)

    async def _within_patience(self, method: str, url: str, body: bytes) -> Reply:
        with anyio.fail_after(self._patience):
            return await exchange(method, url, body)

    def _checked(self, call: Call, found: Asked) -> Asked:
        if not found.answered:
            raise LoadError(
                f"{self.place}/{call} answers none of {len(found.latencies)} requests within "
                f"{self._patience:g} s; the last: {found.said or 'nothing'}."
            )
        return found


class _NoAnswer(Exception):
    """`came`: there was a reply, though no answer."""

    def __init__(self, *, came: bool) -> None:
        super().__init__()
        self.came = came


class _timed:  # noqa: N801 - reads as a verb where it is used
    """Writes down how long a block takes, and what of the processor this process takes for it."""

    def __init__(self, found: Asked) -> None:
        self._found = found

    def __enter__(self) -> None:
        self._began, self._processor = perf_counter(), process_time()

    def __exit__(self, *_: object) -> None:
        self._found.seconds = perf_counter() - self._began
        self._found.processor = process_time() - self._processor


def reason(error: Exception) -> str:
    """Why no reply came, in words."""
    if isinstance(error, TimeoutError):
        return "no reply in time"
    return str(error) or type(error).__name__


def _is_fine(reply: Reply) -> bool:
    return 200 <= reply.status < 300


def _kind(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    return errno.errorcode.get(error.errno or 0, "cut off")
