"""The process of one target: `python -m evaluation.embedding_bench.worker`.

It reads orders from its input and answers each, a line of JSON at a time, until the input ends.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from evaluation.embedding_bench.messages import (
    ORDERS,
    Embed,
    Failed,
    Fit,
    Fitted,
    Footprint,
    Load,
    Loaded,
    Serve,
    Served,
    Singles,
    Tell,
    Took,
)
from evaluation.embedding_bench.subjects import Subject, Tokens, open_subject
from evaluation.errors import EvaluationError
from evaluation.open_loop import open_loop
from evaluation.resources import highest_memory, resident_memory
from retrieval.errors import RetrievalError

_LIBRARIES = ("torch", "transformers", "sentence-transformers", "tokenizers", "openvino", "numpy")
_TELLING = (EvaluationError, RetrievalError, ImportError)  # their messages say enough
_FIRST = "The first text, which loads what is loaded late."


class Worker:
    """Carries out orders on one target."""

    def __init__(self) -> None:
        self._subject: Subject | None = None
        self._tokens: Tokens | None = None

    @property
    def subject(self) -> Subject:
        if self._subject is None:
            raise ValueError("Nothing is loaded.")
        return self._subject

    def load(self, order: Load) -> Loaded:
        began = time.perf_counter()
        self._subject = open_subject(order.target, order.recipe)
        self._subject.embed([_FIRST])
        seconds = time.perf_counter() - began
        reads = self._subject.reads
        return Loaded(
            seconds=seconds,
            memory=resident_memory(),
            device=_device(order.recipe.device),
            dtype=reads.dtype,
            batch_tokens=reads.batch_tokens,
            query_prefix=reads.prefixes.query,
            document_prefix=reads.prefixes.document,
            versions=_versions(),
        )

    def fit(self, order: Fit) -> Fitted:
        if self._tokens is None:
            self._tokens = Tokens(order.model, order.recipe)
        tokens, given = self._tokens, _texts(order.texts)
        limit = tokens.window - (tokens.count(order.prefix) - tokens.count(""))
        fitted = [tokens.fit(text, limit) for text in given]
        kept = [text for text, _ in fitted]
        Path(order.into).write_text(json.dumps(kept), encoding="utf-8")
        np.save(order.counts, np.array([count for _, count in fitted], dtype=np.int64))
        return Fitted(sum(one != other for one, other in zip(given, kept, strict=True)))

    def embed(self, order: Embed) -> Took:
        texts = _texts(order.texts)
        began = time.perf_counter()
        vectors = self.subject.embed(texts)
        took = Took(time.perf_counter() - began)
        if order.into:
            np.save(order.into, vectors, allow_pickle=False)
        return took

    def singles(self, order: Singles) -> Took:
        texts = _texts(order.texts)
        began = time.perf_counter()
        for future in [self.subject.submit(text) for text in texts]:
            future.result()
        return Took(time.perf_counter() - began)

    def serve(self, order: Serve) -> Served:
        texts, submit = _texts(order.texts), self.subject.submit
        found = open_loop(order.due, lambda at: submit(texts[at % len(texts)]), order.patience)
        return Served(tuple(found))

    def tell(self, _order: Tell) -> Footprint:
        return Footprint(highest_memory(), _gpu_memory())


def main() -> None:
    """Answer orders. What libraries print goes to the errors, not between the answers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker()
    lines: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    while True:
        order = ORDERS.validate_json(lines.get())
        carry_out: Callable[[Any], object] = getattr(worker, order.do)
        try:
            answer = carry_out(order)
        except Exception as error:  # noqa: BLE001 - whatever a target fails with is its result
            answer = Failed(_reason(error))
        answers.write(TypeAdapter(type(answer)).dump_json(answer).decode() + "\n")
        answers.flush()


def _listen(lines: "SimpleQueue[str]") -> None:
    """Pass on what is said; when nobody says anything more, nobody waits for an answer either, be
    it in the making: whoever asked is done, or was killed.
    """
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _reason(error: Exception) -> str:
    said = " ".join(str(error).split())
    return said if said and isinstance(error, _TELLING) else f"{type(error).__name__}: {said}"


def _device(asked: str) -> str:
    """Where torch would run by the settings; "cpu" where it isn't loaded."""
    torch = sys.modules.get("torch")
    if torch is None:
        return "cpu"
    if asked:
        return asked
    return "cuda" if torch.cuda.is_available() else "cpu"


def _gpu_memory() -> float | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return float(torch.cuda.max_memory_allocated()) / 1e6


def _versions() -> dict[str, str]:
    """Of the libraries that this process has loaded."""
    loaded = [one for one in _LIBRARIES if one.replace("-", "_") in sys.modules]
    return {one: found for one in loaded if (found := _version(one))}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


@lru_cache(maxsize=16)
def _texts(path: str) -> Sequence[str]:
    found: list[str] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
