"""A target that is a server: Ollama's, OpenAI's or text-embeddings-inference's protocol."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import anyio
import httpx
import numpy as np
import orjson
from anyio.from_thread import BlockingPortal

from evaluation.embedding_bench.messages import Footprint, Loaded
from evaluation.embedding_bench.participants import Embedded
from evaluation.embedding_bench.targets import Kind, Target
from evaluation.embedding_bench.texts import TextSet
from evaluation.errors import TargetFailed
from evaluation.open_loop import open_loop
from retrieval.embedding.identity import prefixes_for
from retrieval.embedding.unit import to_unit
from retrieval.kept_connections import KEPT
from retrieval.types import Vectors

_FIRST = "The first text, for which a server may load its model."
_SAID = 200  # characters of what a server says

_PATHS: Mapping[Kind, str] = {
    Kind.OLLAMA: "/api/embed",
    Kind.OPENAI: "/embeddings",
    Kind.TEI: "/embed",
}
_VECTORS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.OLLAMA: lambda reply: reply["embeddings"],
    Kind.OPENAI: lambda reply: [
        one["embedding"] for one in sorted(reply["data"], key=lambda one: one["index"])
    ],
    Kind.TEI: lambda reply: reply,
}


class Server:
    """So many texts a request, and so many requests at once; single texts all at once."""

    def __init__(
        self,
        target: Target,
        portal: BlockingPortal,
        request_texts: int,
        requests: int,
        patience: float,
    ) -> None:
        self.target = target
        self._portal = portal
        self._request_texts, self._requests = request_texts, requests
        self._client = httpx.AsyncClient(
            timeout=patience,
            trust_env=False,  # a proxy of the environment isn't what is measured
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEPT
            ),
        )

    def load(self) -> Loaded:
        reply = self._portal.call(self._post, [_FIRST])
        self._read(reply, 1)
        prefixes = prefixes_for(self.target.model, {})
        return Loaded(query_prefix=prefixes.query, document_prefix=prefixes.document)

    def embed(self, texts: TextSet, *, keep: bool = False) -> Embedded:
        size = self._request_texts
        parts = [list(texts.texts[at : at + size]) for at in range(0, len(texts.texts), size)]
        seconds, replies = self._portal.call(self._all, parts, self._requests)
        if not keep:
            return Embedded(seconds, None)
        read = [self._read(reply, len(part)) for reply, part in zip(replies, parts, strict=True)]
        return Embedded(seconds, np.concatenate(read))

    def singles(self, texts: TextSet) -> float:
        parts = [[text] for text in texts.texts]
        seconds, _ = self._portal.call(self._all, parts, len(parts))
        return seconds

    def serve(self, texts: TextSet, due: Sequence[float], patience: float) -> list[float | None]:
        def submit(number: int) -> "Future[bytes]":
            return self._portal.start_task_soon(
                self._post, [texts.texts[number % len(texts.texts)]]
            )

        return open_loop(due, submit, patience)

    def footprint(self) -> Footprint:
        return Footprint()

    def close(self) -> None:
        self._portal.call(self._client.aclose)

    async def _all(self, parts: Sequence[list[str]], at_once: int) -> tuple[float, list[bytes]]:
        """Seconds until all replies are there, so many requests at once; and what they are, which
        is read afterwards.
        """
        replies = [b""] * len(parts)
        numbers = iter(range(len(parts)))

        failures: list[TargetFailed] = []
        began = anyio.current_time()
        async with anyio.create_task_group() as group:

            async def work() -> None:
                try:
                    for number in numbers:
                        replies[number] = await self._post(parts[number])
                except TargetFailed as failure:
                    failures.append(failure)
                    group.cancel_scope.cancel()

            for _ in range(min(at_once, len(parts))):
                group.start_soon(work)
        if failures:
            raise failures[0]
        return anyio.current_time() - began, replies

    async def _post(self, texts: list[str]) -> bytes:
        url = f"{self.target.url}{_PATHS[self.target.kind]}"
        try:
            reply = await self._client.post(url, json=self._body(texts))
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise TargetFailed(f"{url} doesn't answer: {said}") from error
        if reply.status_code != httpx.codes.OK:
            said = " ".join(reply.text.split())[:_SAID]
            raise TargetFailed(f"{url} answers with status {reply.status_code}: {said}")
        return reply.content

    def _body(self, texts: list[str]) -> dict[str, Any]:
        if self.target.kind is Kind.TEI:
            return {"inputs": texts, "truncate": True}
        return {"model": self.target.model, "input": texts}

    def _read(self, reply: bytes, count: int) -> Vectors:
        try:
            found = _VECTORS[self.target.kind](orjson.loads(reply))
            vectors = np.asarray(found, dtype=np.float32)
        except (ValueError, KeyError, TypeError) as error:
            said = reply[:_SAID].decode(errors="replace")
            raise TargetFailed(f"{self.target.url} answers with no vectors: {said}") from error
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
            raise TargetFailed(f"{self.target.url} answers {count} texts with {vectors.shape}.")
        return to_unit(vectors)
