"""A process that ingests, killed again and again, against one that nobody disturbs."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evaluation.crash.plan import Sending, write_plan
from evaluation.crash.state import State, state_of
from evaluation.crash.worker import WARM_UP, Order
from evaluation.errors import EvaluationError
from retrieval.embedding.cache import text_hash
from retrieval.engine import open_engine
from retrieval.settings import EngineSettings

Watch = Callable[[int], None]
"""Told how many kills have been made."""

_PATIENCE = 900.0  # seconds until a run that isn't killed must be over
_EARLY = 0.15  # of the kills come while the process still starts
_LATEST = 3.0  # seconds after it is ready until the others come


@dataclass(frozen=True, slots=True)
class CrashReport:
    """What came of it. `again` texts were embedded again though their vectors were kept; `in_hand`
    ones because a kill came before that.
    """

    kills: int
    documents: int
    chunks: int
    failed: int
    looked: int
    torn: tuple[str, ...]
    embedded: int
    again: int
    in_hand: int
    differences: tuple[str, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        return not self.differences and not self.torn and not self.again


@dataclass(frozen=True, slots=True)
class _Kill:
    """How many batches came before it, and the texts whose vectors it found kept."""

    batches: int
    kept: frozenset[str]


@dataclass(slots=True)
class _Told:
    """What workers have said."""

    looked: int = 0
    torn: list[str] = field(default_factory=list)
    final: dict[str, Any] = field(default_factory=dict)

    def hear(self, line: str) -> bool:
        """Take a line in; whether it says that the worker is ready."""
        try:
            said = json.loads(line)
        except ValueError:  # cut by the kill
            return False
        self.looked += "looked" in said
        if "torn" in said:
            self.torn.append(line.strip())
        if "done" in said:
            self.final = said
        return "ready" in said


def crash_test(
    plan: Sequence[Sending], model: str, kills: int, seed: int, folder: Path, watch: Watch
) -> CrashReport:
    """Ingest a plan twice, once undisturbed and once with that many kills (SIGKILL); compare.

    Raises EvaluationError where a run doesn't end.
    """
    began = time.monotonic()
    write_plan(folder / "plan.jsonl", plan)
    calm, wild = folder / "calm", folder / "wild"

    def order(data: Path, upto: int, linger: bool = False) -> Order:
        at, log = str(folder / "plan.jsonl"), str(_log(data))
        return Order(str(data), model, at, upto, log, linger, truth)

    truth: dict[str, list[int]] = {}
    undisturbed = _Told()
    _run(order(calm, len(plan)), undisturbed)
    for uri, chunks in undisturbed.final["chunks"]:
        truth.setdefault(uri, []).append(chunks)
    told, kills_made = _Told(), list[_Kill]()
    chance = random.Random(seed)  # noqa: S311
    for kill in range(1, kills + 1):
        delay = chance.uniform(0.0, _LATEST)
        when = "after_start" if chance.random() < _EARLY else "after_ready"
        upto = max(1, len(plan) * kill // kills)
        _run(order(wild, upto, linger=True), told, **{when: delay})
        kills_made.append(_Kill(len(_batches(wild)), _kept(wild)))
        watch(kill)
    _run(order(wild, len(plan)), told)
    expected, state = _state(calm, model), _state(wild, model)
    embedded, again, in_hand = _again(calm, wild, kills_made)
    failed = told.final["failed"]
    unlike = {*undisturbed.final["failed"].items()} ^ {*failed.items()}
    return CrashReport(
        kills=kills,
        documents=len(state.texts),
        chunks=len(state.chunks),
        failed=len(failed),
        looked=told.looked,
        torn=tuple(told.torn),
        embedded=embedded,
        again=again,
        in_hand=in_hand,
        differences=(*expected.differences(state), *(f"failed: {one}" for one in sorted(unlike))),
        seconds=time.monotonic() - began,
    )


def _run(
    order: Order, told: _Told, *, after_start: float | None = None, after_ready: float | None = None
) -> None:
    """One process, killed that many seconds after its start or after it is ready, or never."""
    with subprocess.Popen(  # noqa: S603 - this interpreter and a module of ours
        [sys.executable, "-P", "-m", "evaluation.crash.worker", json.dumps(asdict(order))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # its parser is killed with it
    ) as process:
        errors: list[str] = []
        listener = threading.Thread(target=lambda: errors.extend(process.stderr or ()))
        listener.start()
        timer = _timer(process, _PATIENCE if after_start is None else after_start)
        for line in process.stdout or ():
            if told.hear(line) and after_ready is not None:
                timer.cancel()
                timer = _timer(process, after_ready)
        status = process.wait()
        timer.cancel()
        listener.join()
    if status != (-signal.SIGKILL if order.linger else 0):
        raise EvaluationError(f"The process ended with {status}: {''.join(errors)[-2000:]}")


def _timer(process: "subprocess.Popen[str]", seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, os.killpg, [process.pid, signal.SIGKILL])
    timer.start()
    return timer


def _batches(data: Path) -> list[list[str]]:
    """What was given to the model, batch by batch, without what warmed it up."""
    asked = text_hash(WARM_UP)[:16]
    lines = _log(data).read_text().splitlines() if _log(data).exists() else []
    return [[key for key in json.loads(line) if key != asked] for line in lines]


def _log(data: Path) -> Path:
    return data.with_suffix(".embedded")


def _kept(data: Path) -> frozenset[str]:
    """The texts whose vectors are in the catalogue that a kill left.

    Looked up in a copy: whoever opens it mends it, which is for the next process to do.
    """
    with TemporaryDirectory() as aside:
        for left in data.glob("catalogue.sqlite*"):
            shutil.copy(left, aside)
        return _vectors_in(Path(aside) / "catalogue.sqlite")


def _vectors_in(catalogue: Path) -> frozenset[str]:
    with closing(sqlite3.connect(catalogue)) as connection:
        try:
            rows = connection.execute("SELECT substr(text_hash, 1, 16) FROM embeddings").fetchall()
        except sqlite3.OperationalError:  # killed before there was one, or it had tables
            return frozenset()
    return frozenset(key for (key,) in rows)


def _again(calm: Path, wild: Path, kills: Sequence[_Kill]) -> tuple[int, int, int]:
    """Texts embedded; those embedded again though they were kept, or by one process; and those
    embedded again because a kill came before they were kept.

    What the undisturbed run embeds twice too, equal texts in two documents at once, isn't again.
    """
    usual = Counter(key for batch in _batches(calm) for key in batch)
    batches = _batches(wild)
    all_told = Counter(key for batch in batches for key in batch)
    starts = [_Kill(0, frozenset()), *kills]
    again = 0
    for start, end in zip(starts, [*(kill.batches for kill in kills), len(batches)], strict=True):
        here = Counter(key for batch in batches[start.batches : end] for key in batch)
        again += sum(
            count if key in start.kept else max(0, count - max(1, usual[key]))
            for key, count in here.items()
        )
    more = sum(max(0, count - max(1, usual[key])) for key, count in all_told.items())
    return sum(all_told.values()), again, max(0, more - again)


def _state(data: Path, model: str) -> State:
    with open_engine(EngineSettings(data, embedding_model=model)) as engine:
        return state_of(engine, engine.open("crash"))
