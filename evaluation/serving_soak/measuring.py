"""The soak from beginning to end: clients, kills, and what is there when all is over."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from time import perf_counter

import anyio
import anyio.to_thread

from evaluation.event_loop import fast_loop
from evaluation.machine import describe, other_work
from evaluation.measuring import Track
from evaluation.serving_bench.measuring import described
from evaluation.serving_bench.server import OwnServer, own_server
from evaluation.serving_soak.calling import Caller, Downtime, Log, told_by
from evaluation.serving_soak.client import Client
from evaluation.serving_soak.disturbing import run_disturbed
from evaluation.serving_soak.ending import check_health, check_inventory
from evaluation.serving_soak.faults import Faults
from evaluation.serving_soak.figures import LifeFigures, SoakFigures, calls_of
from evaluation.serving_soak.ledger import Ledger
from evaluation.serving_soak.library import Library
from evaluation.serving_soak.lives import Life, Lives, moments
from evaluation.serving_soak.memory import slope

_KB = "soak"
_WARM_UP = 45.0  # seconds of a life in which memory may grow, or a third of a shorter one


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, for so many minutes, to a server that `serve` starts; `doctor` looks at
    what it leaves. Each client holds so many documents at the most.
    """

    serve: tuple[str, ...]
    doctor: tuple[str, ...]
    minutes: float
    clients: int
    kills: int
    documents: int
    patience: float
    seed: int
    command_line: str


@dataclass(slots=True)
class _Soaked:
    """What was seen while the server lived."""

    server: str
    documents: int
    seconds: float
    lives: list[Life]
    log: Log
    clients: list[Client]


def soak(plan: Plan, track: Track) -> SoakFigures:
    """Raises LoadError where the server ends by itself, or doesn't come back."""
    note, faults = other_work(), Faults()
    with own_server(plan.serve) as server:
        found = anyio.run(
            partial(_soaked, plan, server, faults, track),
            backend_options=fast_loop(),
        )
        server.close()
        doctor = check_health(plan.doctor, server.data, faults)
    return SoakFigures(
        machine=describe(),
        made=date.today(),
        command=plan.command_line,
        server=found.server,
        minutes=plan.minutes,
        clients=plan.clients,
        kills=plan.kills,
        seed=plan.seed,
        acts=sum(client.acts for client in found.clients),
        documents=found.documents,
        written=sum(client.written for client in found.clients),
        deleted=sum(client.removed for client in found.clients),
        lost=found.log.lost,
        retries=dict(found.log.retries),
        calls=calls_of(found.log.took, found.seconds),
        lives=tuple(map(_life, found.lives)),
        doctor=doctor,
        counts=dict(faults.counts),
        faults=tuple(faults.kept),
        notes=(note,) if note else (),
    )


async def _soaked(plan: Plan, server: OwnServer, faults: Faults, track: Track) -> _Soaked:
    downtime, log = Downtime(), Log()
    caller = Caller([server.url], plan.patience, downtime, log, faults)
    library = Library(caller, Ledger(), _KB)
    clients = [Client(at, plan.seed, plan.documents, library) for at in range(plan.clients)]
    ready = partial(anyio.run, told_by, server.url, "GET", "/ready")
    await anyio.to_thread.run_sync(server.wait_until, ready)
    info = await told_by(server.url, "GET", "/info")
    await told_by(server.url, "PUT", f"/kb/{_KB}", b"{}")
    lives = Lives(server, ready, downtime)
    began, seconds = perf_counter(), 60 * plan.minutes
    kills = moments(plan.minutes, plan.kills, plan.seed)
    await run_disturbed(
        [partial(client.run, lambda: perf_counter() - began > seconds) for client in clients],
        partial(lives.watch, kills, seconds, track("seconds", int(seconds))),
    )
    took = perf_counter() - began
    documents = await check_inventory(library, clients)
    return _Soaked(described(info), documents, took, lives.all, log, clients)


def _life(life: Life) -> LifeFigures:
    lasted = life.samples[-1][0] if life.samples else 0.0
    warm = min(_WARM_UP, lasted / 3)
    return LifeFigures(
        seconds=lasted,
        recovery=life.recovery,
        peak=max((megabytes for _, megabytes in life.samples), default=None),
        slope=slope([one for one in life.samples if one[0] >= warm]),
    )
