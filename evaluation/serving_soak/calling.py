"""Calls to a server that is killed now and then: tried again while it is away, never for longer."""

import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Any, TypeVar

import anyio
import orjson

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
class Downtime:
    """When the server was killed, and ready again."""

    spans: list[list[float]] = field(default_factory=list)

    def begin(self) -> None:
        self.spans.append([perf_counter(), float("inf")])

    def end(self) -> None:
        self.spans[-1][1] = perf_counter()

    def overlaps(self, began: float, ended: float) -> bool:
        return any(one[0] <= ended and began <= one[1] for one in self.spans)


@dataclass(frozen=True, slots=True)
class Told:
    """What a request was told, and when it began."""

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
    """Gets replies, counts and times them. A fault is what no restart excuses."""

    def __init__(
        self, url: str, patience: float, downtime: Downtime, log: Log, faults: Faults
    ) -> None:
        self.url, self._patience = url, patience
        self.downtime, self.log, self.faults = downtime, log, faults
        self._chance = random.Random(url)  # noqa: S311 - spreads those who come again

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
            began = perf_counter()
            try:
                with anyio.fail_after(self._patience):
                    reply = await exchange(method, f"{self.url}{path}", body)
            except TimeoutError as error:
                self.faults.add("no reply", f"none within {self._patience:g} s", request)
                raise Lost from error
            except ConnectionRefusedError as error:
                self._refused("refused", request, reason(error), began)
            except OSError as error:
                self._refused("cut off", request, reason(error), began)
                if method != "GET" and kind not in (Kind.SEARCH, Kind.ASK):
                    self.log.lost += 1
                    raise Lost from error
            else:
                if reply.status in (200, *allowed):
                    self.took(kind, began)
                    return Told(request, reply, began)
                if reply.status == 429:
                    self.log.retries["429"] += 1
                elif reply.status == 503:
                    self._refused("503", request, reply.content.decode(errors="replace"), began)
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

    def _refused(self, why: str, request: str, said: str, began: float) -> None:
        self.log.retries[why] += 1
        if not self.downtime.overlaps(began, perf_counter()):
            self.faults.add(why, f"{why} while no restart was on", request, said)

    def took(self, kind: Kind, began: float) -> None:
        """A call, or something else that is waited for, is over that began then."""
        ended = perf_counter()
        if not self.downtime.overlaps(began, ended):
            self.log.took.setdefault(kind, []).append(ended - began)
