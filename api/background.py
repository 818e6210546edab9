"""Long work on knowledge bases in the background of a server: one at a time, each to its end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import structlog

from retrieval.errors import InvalidRequest
from retrieval.types import KnowledgeBase

_log = structlog.get_logger()


class Standing(Protocol):
    """A dataclass that says how a work stands."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def state(self) -> str: ...

    @property
    def error(self) -> str: ...


S = TypeVar("S", bound=Standing)


class Stopped(Exception):
    """The process ends."""


class Background(Generic[S]):
    """Does one kind of work, in a thread for each knowledge base, and tells how each stands.

    `kind` names it in the log, `busy` in the refusal of a second of the same knowledge base;
    `expected` errors are told as they are. Any thread may call it.
    """

    def __init__(self, kind: str, busy: str, *expected: type[Exception]) -> None:
        self._kind = kind
        self._busy = busy
        self._expected = expected
        self._standings: dict[str, S] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._turn = threading.Lock()  # one at a time: two would share one machine
        self._claim = threading.Lock()
        self._closing = threading.Event()

    @contextmanager
    def claimed(self, kb: KnowledgeBase) -> Iterator[None]:
        """Nothing begins meanwhile. Raises InvalidRequest where work on it is under way."""
        with self._claim:
            if (thread := self._threads.get(kb.id)) and thread.is_alive():
                raise InvalidRequest(f"{kb.name!r} is being {self._busy}. Wait until that is over.")
            yield

    def begin(self, kb: KnowledgeBase, standing: S, work: Callable[[], str]) -> S:
        """Do work that tells in which state it ended; how it stands until it says otherwise."""
        self._standings[kb.id] = standing
        thread = threading.Thread(
            target=self._work, args=(kb, work), name=f"{self._kind}-{kb.name}"
        )
        self._threads[kb.id] = thread
        thread.start()
        return standing

    def tell(self, kb: KnowledgeBase, **changes: Any) -> None:
        """Change what is told of a work."""
        self._standings[kb.id] = replace(self._standings[kb.id], **changes)

    def go_on(self) -> None:
        """Raises Stopped where work is to end."""
        if self._closing.is_set():
            raise Stopped

    def standing(self, kb: KnowledgeBase) -> S | None:
        """How the last work stands, if there was any."""
        return self._standings.get(kb.id)

    def wait(self, kb: KnowledgeBase) -> S | None:
        """How it stands when it is over."""
        if thread := self._threads.get(kb.id):
            thread.join()
        return self.standing(kb)

    def close(self) -> None:
        """Stop all work where it next asks whether to go on."""
        self._closing.set()
        for thread in self._threads.values():
            thread.join()

    def _work(self, kb: KnowledgeBase, work: Callable[[], str]) -> None:
        try:
            with self._turn:
                state, error = work(), ""
        except Stopped:
            state, error = "stopped", ""
        except self._expected as failure:
            state, error = "failed", str(failure)
        except Exception as failure:  # noqa: BLE001 - its standing is where this is looked for
            _log.exception(f"{self._kind}_failed", knowledge_base=kb.name)
            state, error = "failed", repr(failure)
        self.tell(kb, state=state, error=error)
        _log.info(self._kind, knowledge_base=kb.name, state=state)
