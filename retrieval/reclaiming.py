"""Original bytes that nobody needs any more are deleted beside all other work.

An object store may take long to answer, or never do. Who removed a document, or whose upload came
to nothing, doesn't wait for it; nor does anybody else.
"""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

from retrieval import removal
from retrieval.database import Database
from retrieval.errors import StoreUnavailable
from retrieval.ports import Blobs

_log = structlog.get_logger()


class Reclaimer:
    """Deletes original bytes in a thread of its own. Any thread may call it."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs
        self._waiting: deque[str] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reclaimer")

    def release(self, candidates: Iterable[str]) -> None:
        """Delete those that no version and no unfinished job refers to, soon. What can't be deleted
        then, or comes when this is closed, is left to the next start.
        """
        self._waiting.extend(candidates)
        with suppress(RuntimeError):
            self._thread.submit(self._reclaim)

    def settle(self) -> None:
        """Wait until that is done with all that were named so far."""
        self._thread.submit(self._reclaim).result()

    def close(self) -> None:
        """Finish what waits, then stop."""
        self._thread.shutdown()

    def _reclaim(self) -> None:
        taken = set[str]()
        while self._waiting:
            taken.add(self._waiting.popleft())
        try:
            removal.release(self._database, self._blobs, taken)
        except StoreUnavailable as error:  # `footnote doctor` finds them, too
            _log.warning("unused_originals_left", blobs=len(taken), error=str(error))
        except Exception:  # noqa: BLE001 - nobody waits for it
            _log.exception("unused_originals_left", blobs=len(taken))
