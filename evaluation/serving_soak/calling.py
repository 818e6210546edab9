"""Calls to servers that are killed now and then: tried again while one is away, never longer."""

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Any, TypeVar

import anyio
import orjson

from evaluation.errors import LoadError
from evaluation.exchange import Reply, exchange
from evaluation.serving_bench.client import reason
from evaluation.serving_soak.faults import Faults
from evaluation.serving_soak.replies import Malformed, decoded

T = TypeVar("T")

_FIRST, _LONGEST = 0.05, 1.0  # seconds of back-off, doubled in between
_AWAY = 300.0  # seconds after which a server doesn't come back


class Kind(StrEnum):
    """What is called, or waited for."""

    SEARCH = "search"
    ASK = "ask"
    UPLOAD = "upload"
    UPDATE = "update"
    DELETE = "delete"
    SEARCHABLE = "upload until searchable"
    READ = "text, document"
    LOOK = "job, list"


class Lost(Exception):
    """No reply came: what was asked for may have been done, or not."""


class Wrong(Exception):
    """The reply is a fault, which has been told."""


@dataclass(slots=True)
class Outage:
    """From a kill until all is ready again: of the server at this `url`, or of what all need."""

    url: str | None
    began: float
    ended: float = math.inf


@dataclass(slots=True)
class Downtime:
    """All there was of it."""

    outages: list[Outage] = field(default_factory=list)

    @contextmanager
    def outage(self, url: str | None = None, grace: float = 0.0) -> Iterator[None]:
        """The block lasts as long as that of the server at this `url`, or of what all need; but for
        so many seconds of `grace`.
        """
        self.outages.append(found := Outage(url, perf_counter()))
        yield
        found.ended = perf_counter() + grace

    def overlaps(self, url: str, began: float, ended: float) -> bool:
        """Whether one excuses what the server at this `url` didn't do between two moments."""
        return any(
            one.began <= ended and began <= one.ended and one.url in (None, url)
            for one in self.outages
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What a request was told, by whom, and when it began."""

    url: str
    request: str
    reply: Reply
    began: float


@dataclass(slots=True)
class Log:
    """Seconds of calls that no restart came upon, retries by their reason, lost calls."""

    took: dict[Kind, list[float]] = field(default_factory=dict)
    retries: Counter[str] = field(default_factory=Counter)
    lost: int = 0


class Caller:
    """Gets replies of any of some servers, counts and times them. A fault is what no restart
    excuses.
    """

    def __init__(
        self,
        urls: Sequence[str],
        patience: float,
        downtime: Downtime,
        log: Log,
        faults: Faults,
    ) -> None:
        """Each call has so many seconds of `patience`."""
        self.urls, self._patience = urls, patience
        self.downtime, self.log, self.faults = downtime, log, faults
        self._chance = random.Random(urls[0])  # noqa: S311 - spreads those who come again

    async def call(
        self, kind: Kind, method: str, path: str, value: Any = None, *allowed: int
    ) -> Told:
        """The reply, with status 200 or one of those allowed. Raises Lost where a call that writes
        was cut off, Wrong.
        """
        body = b"" if value is None else orjson.dumps(value)
        request = f"{method} {path} {body.decode()}".strip()
        pause, first = _FIRST, perf_counter()
        while perf_counter() - first < _AWAY:
            began, url = perf_counter(), self._chance.choice(self.urls)
            try:
                with anyio.fail_after(self._patience):
                    reply = await exchange(method, f"{url}{path}", body)
            except TimeoutError as error:
                self.faults.add("no reply", f"none within {self._patience:g} s", request)
                raise Lost from error
            except ConnectionRefusedError as error:
                self._refused("refused", request, reason(error), url, began)
            except OSError as error:
                self._refused("cut off", request, reason(error), url, began)
                if method != "GET" and kind not in (Kind.SEARCH, Kind.ASK):
                    self.log.lost += 1
                    raise Lost from error
            else:
                if reply.status in (200, *allowed):
                    self.took(kind, url, began)
                    return Told(url, request, reply, began)
                if reply.status == 429:
                    self.log.retries["429"] += 1
                elif reply.status == 503:
                    said = reply.content.decode(errors="replace")
                    self._refused("503", request, said, url, began)
                    if reply.retry_after is None:
                        self.faults.add("503", "503 without Retry-After", request, said)
                else:
                    what = f"status {reply.status}" if reply.status else "no HTTP"
                    self.faults.add(what, what, request, reply.content.decode(errors="replace"))
                    raise Wrong
            await anyio.sleep(pause * self._chance.uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST)
        self.faults.add("away", f"no answer for {_AWAY:g} s", request)
        raise Wrong

    def read(self, kind: type[T], told: Told) -> T:
        """The value of a reply. Raises Wrong."""
        try:
            return decoded(kind, told.reply.content)
        except Malformed as error:
            self.wrong("malformed", str(error), told)
            raise Wrong from error

    def wrong(self, kind: str, what: str, told: Told) -> None:
        reply = f"{told.reply.status} {told.reply.content.decode(errors='replace')}"
        self.faults.add(kind, what, told.request, reply)

    def _refused(self, why: str, request: str, said: str, url: str, began: float) -> None:
        self.log.retries[why] += 1
        if not self.downtime.overlaps(url, began, perf_counter()):
            self.faults.add(why, f"{why} while no restart was on", request, said)

    def took(self, kind: Kind, url: str, began: float) -> None:
        """A call, or something else that is waited for, is over that began then."""
        ended = perf_counter()
        if not self.downtime.overlaps(url, began, ended):
            self.log.took.setdefault(kind, []).append(ended - began)


async def told_by(url: str, method: str, path: str, body: bytes = b"") -> Any:
    """What the server says. Raises LoadError where it doesn't."""
    try:
        reply = await exchange(method, f"{url}{path}", body)
    except OSError as error:
        raise LoadError(f"{url} doesn't answer: {error}.") from error
    if not 200 <= reply.status < 300:
        raise LoadError(f"{method} {url}{path} is answered with {reply.status}: {reply.said}")
    return orjson.loads(reply.content)
