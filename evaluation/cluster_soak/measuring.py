"""Many processes over stores that they share, while one after the other is killed."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import anyio
import anyio.to_thread
import orjson

from evaluation.cluster_soak.agreement import check_agreement
from evaluation.cluster_soak.figures import ClusterFigures
from evaluation.cluster_soak.fleet import Fleet, own_fleet
from evaluation.cluster_soak.loading import Loader
from evaluation.event_loop import fast_loop
from evaluation.machine import describe, other_work
from evaluation.measuring import Track
from evaluation.services.shared import shared_services
from evaluation.serving_bench.measuring import described
from evaluation.serving_soak.calling import Caller, Downtime, Log, told_by
from evaluation.serving_soak.client import Client
from evaluation.serving_soak.disturbing import run_disturbed
from evaluation.serving_soak.ending import check_health, check_inventory
from evaluation.serving_soak.faults import Faults
from evaluation.serving_soak.figures import calls_of
from evaluation.serving_soak.ledger import Ledger
from evaluation.serving_soak.library import Library

_KB = "cluster"
_LOOK = 0.2  # seconds
# When so much has been uploaded.
_TROUBLES = (
    (1 / 4, Fleet.crash, "postgres"),
    (1 / 2, Fleet.stall, "s3"),
    (3 / 4, Fleet.crash, "chroma"),
)
_HELD = 6  # documents of a client at the most
_OVER = ("done", "failed", "cancelled")
_PUT_OFF = 300.0  # seconds after which all jobs must be over
_REFUSED = ("StoreUnavailable", "NotReceived")  # whose caller was told so, or cut off: sent again


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, to processes that `serve` and `work` start; `doctor` looks at what they
    leave. Kills come so many seconds after each other.
    """

    serve: tuple[str, ...]
    work: tuple[str, ...]
    doctor: tuple[str, ...]
    servers: int
    workers: int
    documents: int
    clients: int
    every: float
    questions: int
    patience: float
    seed: int
    command_line: str


@dataclass(slots=True)
class _Soaked:
    server: str
    seconds: float
    documents: int
    agreed: int
    log: Log
    clients: list[Client]
    loader: Loader


def soak(plan: Plan, track: Track) -> ClusterFigures:
    """Raises LoadError where a process ends by itself, or doesn't come back."""
    note, faults, downtime = other_work(), Faults(), Downtime()
    with (
        TemporaryDirectory(prefix="footnote-cluster-", ignore_cleanup_errors=True) as place,
        shared_services() as services,
        own_fleet(
            plan.serve, plan.work, (plan.servers, plan.workers), Path(place), services.environment
        ) as (serving, working),
    ):
        fleet = Fleet(
            serving,
            working,
            services.crashable,
            services.stallable,
            _check_ready,
            downtime,
            plan.seed,
        )
        found = anyio.run(
            partial(_soaked, plan, fleet, faults, track),
            backend_options=fast_loop(),
        )
        for one in (*serving, *working):
            one.close()
        doctor = check_health(plan.doctor, serving[0].data, faults, services.environment)
    return ClusterFigures(
        machine=describe(),
        made=date.today(),
        command=plan.command_line,
        server=found.server,
        servers=plan.servers,
        workers=plan.workers,
        clients=plan.clients,
        every=plan.every,
        seed=plan.seed,
        seconds=found.seconds,
        uploaded=len(found.loader.held),
        written=sum(client.written for client in found.clients),
        deleted=sum(client.removed for client in found.clients),
        documents=found.documents,
        agreed=found.agreed,
        lost=found.log.lost,
        retries=dict(found.log.retries),
        calls=calls_of(found.log.took, found.seconds),
        restarts=tuple(fleet.restarts),
        doctor=doctor,
        counts=dict(faults.counts),
        faults=tuple(faults.kept),
        notes=(note,) if note else (),
    )


async def _soaked(plan: Plan, fleet: Fleet, faults: Faults, track: Track) -> _Soaked:
    urls, log = [one.url for one in fleet.serving], Log()
    library = Library(Caller(urls, plan.patience, fleet.downtime, log, faults), Ledger(), _KB)
    clients = [Client(at, plan.seed, _HELD, library) for at in range(plan.clients)]
    tell = track("documents", plan.documents)
    loader = Loader(library, plan.documents, plan.seed, tell)
    await anyio.to_thread.run_sync(fleet.wait)
    info = await told_by(urls[0], "GET", "/info")
    await told_by(urls[0], "PUT", f"/kb/{_KB}", b"{}")
    began = perf_counter()
    running = [partial(client.run, lambda: loader.share >= 1) for client in clients]
    await run_disturbed([*running, loader.run], partial(_disturb, plan, fleet, loader))
    seconds = perf_counter() - began
    await _check_jobs(urls[-1], faults)
    documents = await check_inventory(library, [*clients, loader])
    held = [*loader.held, *(one for client in clients for one in client.held)]
    agreed = await check_agreement(urls, _KB, held, plan.questions, plan.seed, faults)
    return _Soaked(described(info), seconds, documents, agreed, log, clients, loader)


async def _disturb(plan: Plan, fleet: Fleet, loader: Loader) -> None:
    """Kill one of each kind again and again, and what all need once each, while there is something
    to do. Raises LoadError.
    """
    troubles, due = list(_TROUBLES), perf_counter() + plan.every
    while loader.share < 1:
        await anyio.sleep(_LOOK)
        fleet.check()
        if troubles and loader.share >= troubles[0][0]:
            _, disturb, name = troubles.pop(0)
            await anyio.to_thread.run_sync(disturb, fleet, name)
        elif perf_counter() >= due:
            due = perf_counter() + plan.every
            await anyio.to_thread.run_sync(fleet.kill_some)


async def _check_jobs(url: str, faults: Faults) -> None:
    """None is left, and none has failed that wasn't refused."""
    deadline = perf_counter() + _PUT_OFF
    while True:
        counts = (await told_by(url, "GET", f"/jobs?kb={_KB}&limit=1"))["counts"]
        left = {state: count for state, count in counts.items() if count and state not in _OVER}
        if not left or perf_counter() > deadline:
            break
        await anyio.sleep(_LOOK)
    if left:
        faults.add("job", f"not over after {_PUT_OFF:g} s", reply=str(left))
    failed = await told_by(url, "GET", f"/jobs?kb={_KB}&state=failed&limit=1000")
    for job in failed["jobs"]:
        if job["error"]["kind"] not in _REFUSED:
            faults.add("job", "one has failed", reply=orjson.dumps(job).decode())


def _check_ready(url: str) -> object:
    return anyio.run(told_by, url, "GET", "/ready")
