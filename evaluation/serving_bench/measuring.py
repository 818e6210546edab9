"""The benchmark from beginning to end: a server with documents in it, asked with nothing beside
it and with ingestion beside it, in turns.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from secrets import randbelow, token_hex
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from evaluation.beir import Dataset
from evaluation.errors import LoadError
from evaluation.event_loop import fast_loop
from evaluation.latency import Load
from evaluation.machine import describe, other_work
from evaluation.measuring import Track
from evaluation.serving_bench.client import Asked, Client
from evaluation.serving_bench.feeding import Feeder
from evaluation.serving_bench.figures import Beside, Call, Ingestion, Memory, ServingBench
from evaluation.serving_bench.results import Case, Fed, Measure, Tally
from evaluation.serving_bench.server import Elsewhere, OwnServer, Server, own_server
from evaluation.serving_bench.wording import documents, questions
from evaluation.significance import median

_KB = "bench"
_WARM_UP = 1.0  # seconds of each call that aren't counted
_SLOWER = 10  # times the patience of a question: eight texts take longer
_FAR = 1_000_000  # where the numbers of questions begin that a server may have met
_DYING = 1.0  # seconds between the connections that a server closes and its end
# A weight that is given: calibration would embed beside what is measured.
SETTINGS = {"dense_weight": 0.5}
WEIGHT = "The dense leg weighs 0.5: nothing is calibrated beside what is measured."


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured. With a `url` it is the knowledge base `kb` of a running server;
    without, a server that `command` starts, with so many documents in it.
    """

    data: Dataset
    calls: tuple[Call, ...]
    command: tuple[str, ...]
    url: str
    kb: str
    documents: int
    ingests: bool
    clients: int
    rounds: int
    load: Load
    patience: float
    same_questions: bool
    command_line: str


@dataclass(frozen=True, slots=True)
class _Stage:
    """A server that is ready to be asked, and those who ask it."""

    server: Server
    client: Client
    feeder: Feeder
    portal: BlockingPortal


def measure(plan: Plan, track: Track) -> ServingBench:
    """Raises LoadError where the server dies, refuses or hangs, DatasetError where no document has
    a text.
    """
    other = other_work()
    with _opened(plan) as stage:
        server = described(stage.client.tell("GET", "/info"))
        memory = [stage.server.memory()]
        ingestions = _filled(plan, stage, track)
        held = stage.client.tell("GET", stage.client.path)
        memory.append(stage.server.memory())
        tally = _measured(plan, stage, track)
        memory.append(stage.server.peak_memory())
    known = [one for one in memory if one is not None]
    return ServingBench(
        machine=describe(),
        made=date.today(),
        command=plan.command_line,
        server=server,
        documents=held["documents"],
        chunks=held["chunks"],
        texts=plan.data.name,
        clients=plan.clients,
        rounds=plan.rounds,
        seconds=plan.load.seconds,
        seed=plan.load.seed,
        same_questions=plan.same_questions,
        notes=tuple(filter(None, (*([] if plan.url else [WEIGHT]), other))),
        throughputs=tally.throughputs(),
        steps=tally.steps(),
        ingestions=(*ingestions, *tally.ingestions()),
        memory=Memory(*known) if len(known) == len(memory) else None,
    )


def described(told: Any) -> str:
    """Of the server, by what it says of itself. Raises LoadError where that isn't Footnote."""
    try:
        embedder, version, answerer = told["embedder"], told["version"], told["answerer"]
        model = f"{embedder['model']} in {embedder['dtype']}"
    except (KeyError, TypeError) as error:
        raise LoadError(f"The server isn't Footnote: its /info is {str(told)[:200]}") from error
    return f"Footnote {version}, {model}, answers by {answerer}"


@contextmanager
def _opened(plan: Plan) -> Iterator[_Stage]:
    """Everything is ended with the block, whatever ends it. Raises LoadError."""
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal(backend_options=fast_loop()))
        server: Server
        if plan.url:
            server, kb, run, first = Elsewhere(plan.url), plan.kb, token_hex(3), randbelow(_FAR)
        else:
            server, kb, run, first = stack.enter_context(own_server(plan.command)), _KB, "", 0
        asked = questions(list(plan.data.queries.values()), first, as_they_are=plan.same_questions)
        client = Client(server.url, kb, asked, portal, plan.patience)
        sent = documents(plan.data.corpus, run)
        feeder = Feeder(client.place, sent, _SLOWER * plan.patience)
        stage = _Stage(server, client, feeder, portal)
        with _death_told(server):
            if isinstance(server, OwnServer):
                server.wait_until(lambda: client.tell("GET", "/ready"))
                client.tell("PUT", f"/kb/{_KB}", SETTINGS)
            yield stage


@contextmanager
def _death_told(server: Server) -> Iterator[None]:
    """Where the server has ended, that is what went wrong."""
    try:
        yield
    except LoadError:
        server.check(_DYING)
        raise


def _filled(plan: Plan, stage: _Stage, track: Track) -> tuple[Ingestion, ...]:
    """The first documents of a server of our own, with nothing beside them."""
    if plan.url:
        return ()
    feeder = stage.feeder
    began = time.perf_counter()
    stage.portal.call(feeder.feed, plan.documents, track("documents", plan.documents))
    rate = feeder.texts / (time.perf_counter() - began)
    return (Ingestion(False, feeder.texts, feeder.failed, median([rate])),)


def _measured(plan: Plan, stage: _Stage, track: Track) -> Tally:
    cases = (Beside.NOTHING, Beside.INGESTION) if plan.ingests else (Beside.NOTHING,)
    tally = Tally()
    for call in plan.calls:
        stage.client.closed_loop(call, plan.clients, _WARM_UP)
    steps = plan.rounds * len(cases) * len(plan.calls) * (1 + plan.load.steps)
    watch = track("measurements", steps)
    for turn in range(plan.rounds):
        for beside in cases if turn % 2 == 0 else reversed(cases):
            with _meanwhile(stage, beside, tally):
                for call in plan.calls:
                    for _ in _climb(plan, stage, tally, Case(call, beside), turn):
                        stage.server.check()
                        stage.feeder.check()
                        watch(len(tally))
    return tally


@contextmanager
def _meanwhile(stage: _Stage, beside: Beside, tally: Tally) -> Iterator[None]:
    """What there is beside the requests of a round. Raises LoadError."""
    if beside is Beside.NOTHING:
        yield
        return
    feeder = stage.feeder
    texts, failed, began = feeder.texts, feeder.failed, time.perf_counter()
    running = stage.portal.start_task_soon(feeder.run)
    try:
        yield
        seconds = time.perf_counter() - began
        tally.fed.append(Fed(feeder.texts - texts, feeder.failed - failed, seconds))
    finally:
        feeder.stop()
    running.result()
    feeder.check()


def _climb(plan: Plan, stage: _Stage, tally: Tally, case: Case, turn: int) -> Iterator[None]:
    """As many requests as are answered, then each rate, the lowest first."""
    client = stage.client
    seconds = plan.load.seconds
    _add(stage, tally, case, partial(client.closed_loop, case.call, plan.clients, seconds))
    yield
    capacity = tally.capacity(case.call)
    for step in range(plan.load.steps):
        rate = plan.load.rate(step, capacity)
        due = plan.load.arrivals(rate, turn)
        _add(stage, tally, replace(case, rate=rate), partial(client.open_loop, case.call, due))
        yield


def _add(stage: _Stage, tally: Tally, case: Case, ask: Callable[[], Asked]) -> None:
    before = stage.feeder.texts
    asked = ask()
    tally.add(case, Measure(asked, stage.feeder.texts - before))
