"""Long work on knowledge bases in the background of a server: one at a time, each to its end.

Of all processes that share the catalogue one works on a knowledge base; all of them tell how that
stands.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import structlog
from pydantic import TypeAdapter

from retrieval.errors import InvalidRequest, StoreUnavailable
from retrieval.types import KnowledgeBase
from retrieval.works import Work, Works

_log = structlog.get_logger()

_TELL = 1.0  # seconds between two times that other processes are told how far a work is


class Standing(Protocol):
    """A dataclass that says how a work stands."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def state(self) -> str: ...

    @property
    def error(self) -> str: ...


S = TypeVar("S", bound=Standing)


STOPPED = "stopped"
"""The state of a work that its process didn't bring to an end."""


class Stopped(Exception):
    """The process ends, or another one has the work."""


class _Doing(Generic[S]):
    """A work that is under way, as it stands."""

    def __init__(self, work: Work, standing: S) -> None:
        self.work = work
        self.standing = standing
        self.told_at = time.monotonic()


class Background(Generic[S]):
    """Does one kind of work, in a thread for each knowledge base, and tells how each stands.

    `kind` names it in the log and in the catalogue, `busy` in the refusal of a second of the same
    knowledge base; `expected` errors are told as they are. Any thread may call it.
    """

    def __init__(
        self,
        works: Works,
        kind: str,
        busy: str,
        standing: type[S],
        *expected: type[Exception],
    ) -> None:
        self._works = works
        self._kind = kind
        self._busy = busy
        self._json = TypeAdapter(standing)
        self._expected = expected
        self._doing: dict[str, _Doing[S]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._turn = threading.Lock()  # one at a time: two would share one machine
        self._closing = threading.Event()

    @contextmanager
    def claimed(self, kb: KnowledgeBase) -> Iterator[Work]:
        """Nothing begins meanwhile, but by `begin` with what this gives. Raises InvalidRequest
        where work on it is under way, in this process or another; KnowledgeBaseNotFound.
        """
        work = self._works.begin(self._name(kb), kb)
        if work is None:
            raise InvalidRequest(f"{kb.name!r} is being {self._busy}. Wait until that is over.")
        try:
            yield work
        finally:
            if (doing := self._doing.get(kb.id)) is None or doing.work is not work:
                self._works.leave(work)

    def begin(self, work: Work, kb: KnowledgeBase, standing: S, do: Callable[[], str]) -> S:
        """Do work that tells in which state it ended; how it stands until it says otherwise."""
        work.tell(self._written(standing))
        self._doing[kb.id] = doing = _Doing(work, standing)
        thread = threading.Thread(
            target=self._work, args=(kb, doing, do), name=f"{self._kind}-{kb.name}"
        )
        self._threads[kb.id] = thread
        thread.start()
        return standing

    def tell(self, kb: KnowledgeBase, **changes: Any) -> None:
        """Change what is told of a work; other processes hear of progress once a second."""
        doing = self._doing[kb.id]
        before, doing.standing = doing.standing, replace(doing.standing, **changes)
        now = time.monotonic()
        if doing.standing.state == before.state and now - doing.told_at < _TELL:
            return
        doing.told_at = now
        try:
            doing.work.tell(self._written(doing.standing))
        except StoreUnavailable as error:
            _log.warning(f"{self._kind}_not_told", knowledge_base=kb.name, error=str(error))

    def go_on(self, kb: KnowledgeBase) -> None:
        """Raises Stopped where work is to end."""
        if self._closing.is_set() or self._doing[kb.id].work.is_lost:
            raise Stopped

    def standing(self, kb: KnowledgeBase) -> S | None:
        """How the last work stands, whichever process did it, if there was any."""
        if (thread := self._threads.get(kb.id)) and thread.is_alive():
            return self._doing[kb.id].standing
        if (told := self._works.of(self._name(kb))) is None:
            return None
        standing = self._json.validate_python(told.standing)
        return standing if told.is_over or told.is_done else replace(standing, state=STOPPED)

    def wait(self, kb: KnowledgeBase) -> S | None:
        """How it stands when it is over, if it is this process's."""
        if thread := self._threads.get(kb.id):
            thread.join()
        return self.standing(kb)

    def close(self) -> None:
        """Stop all work where it next asks whether to go on."""
        self._closing.set()
        for thread in list(self._threads.values()):
            thread.join()

    def _work(self, kb: KnowledgeBase, doing: _Doing[S], do: Callable[[], str]) -> None:
        try:
            with self._turn:
                self.go_on(kb)
                state, error = do(), ""
        except Stopped:
            state, error = STOPPED, ""
        except self._expected as failure:
            state, error = "failed", str(failure)
        except Exception as failure:  # noqa: BLE001 - its standing is where this is looked for
            _log.exception(f"{self._kind}_failed", knowledge_base=kb.name)
            state, error = "failed", repr(failure)
        doing.standing = replace(doing.standing, state=state, error=error)
        try:
            doing.work.end(self._written(doing.standing))
        except StoreUnavailable as unavailable:  # its lease will end, and it is told as stopped
            _log.warning(f"{self._kind}_not_told", knowledge_base=kb.name, error=str(unavailable))
        finally:
            self._works.leave(doing.work)
        _log.info(self._kind, knowledge_base=kb.name, state=state)

    def _name(self, kb: KnowledgeBase) -> str:
        return f"{self._kind} {kb.id}"

    def _written(self, standing: S) -> dict[str, Any]:
        written: dict[str, Any] = self._json.dump_python(standing, mode="json")
        return written
