"""How a server bears load: many small calls at once, and what passing requests on costs."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from evaluation.errors import LoadError
from evaluation.exchange import exchange

_BATCH = 256  # texts of a full request
_WORDS = """
    a battery buyer carrier charge claim contract cover customer day delay delivery fee file for
    goods in insurance invoice of order parcel period policy price refund repair return seller
    seven shop term the to transport value warranty within without year
""".split()


@dataclass(frozen=True, slots=True)
class Flood:
    """Texts a second in full requests, and in as many requests as texts, all sent at once."""

    texts: int
    answered: int
    batched: float
    single: float

    @property
    def share(self) -> float:
        """Of the throughput of full requests."""
        return self.single / self.batched


def made_up(count: int, words: int, seed: int = 0) -> list[str]:
    """Texts of about so many words, from a third of that to more than half as many again."""
    choose = random.Random(seed)  # noqa: S311 - texts, not secrets
    lengths = [max(1, round(words * choose.uniform(0.35, 1.65))) for _ in range(count)]
    return [f"{' '.join(choose.choices(_WORDS, k=n))} {i}" for i, n in enumerate(lengths)]


async def flood(url: str, model: str, texts: Sequence[str]) -> Flood:
    """Embed texts in full requests, then each in its own, all at once. Raises LoadError."""
    await _embed(url, model, texts[:1])
    began = time.perf_counter()
    for start in range(0, len(texts), _BATCH):
        await _embed(url, model, texts[start : start + _BATCH])
    batched = time.perf_counter() - began
    began = time.perf_counter()
    answered = await asyncio.gather(*(_embed(url, model, [text]) for text in texts))
    single = time.perf_counter() - began
    return Flood(len(texts), sum(answered), len(texts) / batched, len(texts) / single)


async def first_bytes(urls: Sequence[str], model: str, repeats: int) -> list[list[float]]:
    """Seconds to the first byte of a streamed chat, for each server, asked in turns.

    Raises LoadError.
    """
    times: list[list[float]] = [[] for _ in urls]
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        for _ in range(repeats):
            for url, found in zip(urls, times, strict=True):
                began = time.perf_counter()
                try:
                    async with client.stream("POST", f"{url}/api/chat", json=body) as reply:
                        reply.raise_for_status()
                        chunks = reply.aiter_raw()
                        await anext(chunks)
                        found.append(time.perf_counter() - began)
                        async for _rest in chunks:
                            pass
                except (httpx.HTTPError, StopAsyncIteration) as error:
                    raise LoadError(f"{url} doesn't answer: {error}") from error
    return times


async def _embed(url: str, model: str, texts: Sequence[str]) -> int:
    """How many vectors came."""
    value = list(texts) if len(texts) != 1 else texts[0]
    body = json.dumps({"model": model, "input": value}).encode()
    try:
        reply = await exchange("POST", f"{url}/api/embed", body)
        if reply.status != httpx.codes.OK:
            raise LoadError(f"{url} answers with {reply.status}: {reply.said}")
        return len(json.loads(reply.content)["embeddings"])
    except (OSError, ValueError, KeyError) as error:
        raise LoadError(f"{url} doesn't embed: {error}") from error
