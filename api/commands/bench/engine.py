"""The embedding engine around its model: its cost, how questions fare, everything at once."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated

import numpy as np
import typer

from api.commands.bench.aside import ModelOption
from api.commands.options import JsonOption, settings
from api.console import fail, out, print_json
from evaluation.embedding_bench.backends import BACKENDS, open_backend
from evaluation.embedding_bench.texts import built_in
from evaluation.engine_load import BesideDocuments, Overhead, beside_documents, overhead
from evaluation.engine_soak import Soaked, soak
from evaluation.machine import describe
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.precision import Backend
from retrieval.errors import RetrievalError
from retrieval.ports import EmbeddingBackend
from retrieval.settings import EngineSettings
from retrieval.types import Vectors

_TEXTS = 400
_LONGEST = 200  # tokens of a text that is soaked
_IDLE = 20.0  # seconds of questions alone
_NEAR = {"int8": 0.9, "bfloat16": 0.999, "float16": 0.999}
_SAME = 0.9999


def engine(
    backend: Annotated[str, typer.Option(help=f"One of {', '.join(BACKENDS)}.")] = "auto",
    model: ModelOption = None,
    documents: Annotated[
        int, typer.Option(min=1, help="Documents that are embedded while questions are asked.")
    ] = 10_000,
    rate: Annotated[float, typer.Option(min=0.1, help="Questions a second meanwhile.")] = 5.0,
    rounds: Annotated[int, typer.Option(min=1, help="Of the engine and its bare backend.")] = 7,
    minutes: Annotated[
        float, typer.Option(min=0, help="Of cancellations, poison, bursts; 0: none.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the texts, and of what happens in them.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure the engine beside the bare loop of its own backend, and questions beside documents;
    then let it bear cancellations, poison, too long texts and bursts at once.

    The exit status is 1 where a request ended never, or twice, or with a wrong vector.
    """
    if backend not in BACKENDS:
        raise typer.BadParameter(f"{backend!r} is none of {', '.join(BACKENDS)}.")
    found = settings(None).engine()
    found = replace(found, embedding_model=model) if model else found
    texts = list(built_in("mixed", _TEXTS, seed).texts)
    try:
        running = open_backend(found, backend)
        expected = _expected(found, running, texts) if minutes else None
    except RetrievalError as error:
        fail(str(error))
    embedder = Embedder(running)
    texts = [embedder.fit(text, running.identity.window).text for text in texts]
    cost = overhead(running, embedder, texts, rounds)
    beside = beside_documents(embedder, texts, documents, rate, min(_IDLE, documents / 100))
    soaked = None
    if expected is not None:
        short = [embedder.fit(text, _LONGEST).text for text in texts]
        soaked = soak(running, short, expected, _least(running), 60 * minutes, seed)
    embedder.close()
    if as_json:
        print_json(_told(running, cost, beside, soaked))
    else:
        _print(running, cost, beside, soaked)
    if soaked and not soaked.sound:
        raise typer.Exit(1)


def _expected(found: EngineSettings, running: EmbeddingBackend, texts: Sequence[str]) -> Vectors:
    """What the soak's texts should give: by torch in the model's own precision where it is a model
    of this process, else by the backend itself, each text alone.
    """
    local = running.identity.name != "hashing" and not running.identity.name.startswith("ollama:")
    trusted = open_backend(found, Backend.TORCH) if local else running
    embedder = Embedder(trusted)
    short = [embedder.fit(text, _LONGEST) for text in texts]
    return np.concatenate([trusted.encode([text]) for text in short])


def _least(running: EmbeddingBackend) -> float:
    return _NEAR.get(running.identity.dtype.partition("-")[0], _SAME)


def _told(
    running: EmbeddingBackend, cost: Overhead, beside: BesideDocuments, soaked: Soaked | None
) -> dict[str, object]:
    return {
        "machine": describe(),
        "model": running.identity.to_json(),
        "batch_tokens": running.batch_tokens,
        "parallel": running.parallel,
        "overhead": {**asdict(cost), "slowdown": cost.slowdown, "added_ms": cost.added_ms},
        "beside_documents": {**asdict(beside), "bound_ms": beside.bound_ms},
        "soak": {**asdict(soaked), "sound": soaked.sound} if soaked else None,
    }


def _print(
    running: EmbeddingBackend, cost: Overhead, beside: BesideDocuments, soaked: Soaked | None
) -> None:
    idle, loaded = beside.idle, beside.loaded
    lines = [
        f"{running.identity}, {running.parallel} batches of {running.batch_tokens} tokens",
        f"at saturation: {cost.engine_rate:,.0f} tokens/s, bare backend {cost.raw_rate:,.0f}: "
        f"{cost.slowdown:.3f} times as long",
        f"one question: {cost.engine_ms:.2f} ms, bare backend {cost.raw_ms:.2f}: "
        f"{cost.added_ms:+.2f} ms",
        f"questions alone: p50 {idle.p50:.1f} ms, p95 {idle.p95:.1f} ({idle.asked})",
        f"beside {beside.documents:,} documents: p50 {loaded.p50:.1f} ms, p95 {loaded.p95:.1f} "
        f"({loaded.asked}); twice p95 alone and a batch: {beside.bound_ms:.1f}",
        f"the documents took {beside.seconds:.1f} s, beside a flood of questions "
        f"{beside.flooded:.1f}",
    ]
    if soaked:
        ended = ", ".join(f"{count:,} {how}" for how, count in sorted(soaked.outcomes.items()))
        lines += [
            f"{soaked.seconds / 60:g} minutes of everything: {ended}",
            f"never ended {soaked.endless}, rows twice {soaked.twice}, lowest cosine "
            f"{soaked.lowest_cosine:.5f}, memory {soaked.memory_settled:.0f} to "
            f"{soaked.memory_end:.0f} MB",
        ]
    for line in [*lines, describe()]:
        out.print(line, soft_wrap=True, highlight=False)
