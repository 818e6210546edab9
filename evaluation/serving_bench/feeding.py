"""Documents that are sent to a server, some requests at once, for as long as is wanted."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import anyio
import orjson

from evaluation.errors import LoadError
from evaluation.exchange import exchange
from evaluation.serving_bench.client import reason
from evaluation.serving_bench.wording import Document

_REQUESTS = 4  # at once
_TEXTS = 8  # of a request: with those before it as many as keep eight workers busy
_READ = (200, 202)


class Feeder:
    """Counts the texts that have become searchable, and those that never will, of which `refusal`
    is why the last one won't.

    Each request waits until its texts are searchable, so the server is never given more than it
    takes in.
    """

    def __init__(self, place: str, documents: Iterator[Document], patience: float) -> None:
        """`place`: the URL of a knowledge base; `patience`: seconds that a request may take."""
        self._url = f"{place}/documents?wait=true"
        self._documents, self._patience = documents, patience
        self._stopped = False
        self.texts = self.failed = 0
        self.failure = self.refusal = ""

    async def feed(self, count: int, watch: Callable[[int], None]) -> None:
        """Send so many. Raises LoadError where that can't be done, or none becomes searchable."""
        await self._send(islice(self._documents, count), watch)
        self.check()
        if not self.texts:
            raise LoadError(f"No document became searchable: {self.refusal or 'none is done'}.")

    async def run(self) -> None:
        """Send documents until told to stop; `check` then says whether that went well."""
        await self._send(self._documents, lambda _: None)

    def stop(self) -> None:
        """Send no more; those that are on their way are still waited for."""
        self._stopped = True

    def check(self) -> None:
        """Raises LoadError where documents couldn't be sent any more."""
        if self.failure:
            raise LoadError(self.failure)

    async def _send(self, documents: Iterator[Document], watch: Callable[[int], None]) -> None:
        async def post_one_after_the_other() -> None:
            while not self._stopped and not self.failure:
                texts = list(islice(documents, _TEXTS))
                if not texts:
                    return
                await self._post(texts)
                watch(self.texts + self.failed)

        self._stopped = False
        async with anyio.create_task_group() as group:
            for _ in range(_REQUESTS):
                group.start_soon(post_one_after_the_other)

    async def _post(self, texts: list[Document]) -> None:
        body = orjson.dumps({"documents": [_sent(one) for one in texts]})
        try:
            with anyio.fail_after(self._patience):
                reply = await exchange("POST", self._url, body)
            if reply.status not in _READ:
                self.failure = f"{self._url} is answered with {reply.status}: {reply.said}"
                return
            jobs: list[dict[str, Any]] = orjson.loads(reply.content)["jobs"]
        except (OSError, ValueError, KeyError) as error:
            self.failure = f"{self._url} doesn't answer: {reason(error)}."
            return
        self.texts += sum(job["state"] == "done" for job in jobs)
        for job in jobs:
            if job["state"] == "failed":
                self.failed += 1
                self.refusal = str((job.get("error") or {}).get("message", ""))


def _sent(document: Document) -> dict[str, str]:
    sent = {"uri": document.uri, "text": document.text}
    return {**sent, "title": document.title} if document.title else sent
