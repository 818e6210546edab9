"""What checking costs while an answer is streamed, as a client sees it."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from evaluation.errors import LoadError

_PATIENCE = 300.0  # seconds: a real model may have to be loaded first
_SOURCE = re.compile(r"<source (\d+): [^>\n]*>\n(.*?)\n</source \1>", re.DOTALL)
_SENTENCE = re.compile(r"[^.!?。！？\n]{12,300}[.!?。！？]")
_SENTENCES = 6


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer as it came, in seconds: to its first words, of which the search and the choice of
    passages took `retrieval`, the chat model `model` to its own first token; and what it took to
    check its `sentences`.
    """

    first: float
    retrieval: float
    model: float
    verifying: float
    sentences: int

    @property
    def added(self) -> float:
        """What is neither the search's nor the model's."""
        return self.first - self.retrieval - self.model

    @property
    def a_sentence(self) -> float:
        return self.verifying / max(1, self.sentences)


def streamed(client: httpx.Client, place: str, question: str, model: str) -> Streamed | None:
    """One answer of the knowledge base at an address; None for an abstention. Raises LoadError."""
    body = {"question": question, "model": model, "stream": True}
    began = time.perf_counter()
    first = None
    try:
        with client.stream("POST", f"{place}/ask", json=body, timeout=_PATIENCE) as reply:
            reply.raise_for_status()
            for name, told in _events(reply.iter_lines()):
                if name == "token" and first is None:
                    first = time.perf_counter() - began
                if name == "error":
                    raise LoadError(f"{place} breaks off: {told}")
                if name == "done":
                    return _streamed(told, first or 0.0)
    except httpx.HTTPError as error:
        raise LoadError(f"{place} doesn't answer: {error}") from error
    raise LoadError(f"{place} ends an answer before its last event.")


def quoting(prompt: str) -> str:
    """What a stand-in says to a prompt: sentences of its passages, each with its mark."""
    said = [
        f"{sentence.strip()} [{number}]"
        for number, passage in _SOURCE.findall(prompt)
        for sentence in _SENTENCE.findall(passage)[:2]
    ]
    return " ".join(said[:_SENTENCES])


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield name, orjson.loads(line.removeprefix("data:"))


def _streamed(told: Any, first: float) -> Streamed | None:
    timings = told["timings"]
    if "generate" not in timings:
        return None
    return Streamed(
        first=first,
        retrieval=timings["total"] - timings["generate"],
        model=timings["first_token"],
        verifying=timings["verify"],
        sentences=len(told["statements"]),
    )
