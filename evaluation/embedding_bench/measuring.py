"""The benchmark from beginning to end: load, warm up, rounds, latency, quality, memory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from anyio.from_thread import start_blocking_portal

from evaluation.embedding_bench.child import Child
from evaluation.embedding_bench.cutting import Cutters, cutting
from evaluation.embedding_bench.field import Field
from evaluation.embedding_bench.figures import Bench
from evaluation.embedding_bench.latency import capacities, latencies
from evaluation.embedding_bench.local import Local
from evaluation.embedding_bench.messages import Loaded, Recipe
from evaluation.embedding_bench.participants import Participant
from evaluation.embedding_bench.peak import measured_peak
from evaluation.embedding_bench.quality import embedded_in_parts, judged
from evaluation.embedding_bench.results import Measured, results_of
from evaluation.embedding_bench.servers import Server
from evaluation.embedding_bench.targets import Target
from evaluation.embedding_bench.texts import TextSet, built_in, whole_documents
from evaluation.embedding_bench.throughput import rounds
from evaluation.errors import ConfigurationError, TargetFailed
from evaluation.judging import Judged
from evaluation.latency import Latency, Load
from evaluation.machine import describe, other_work
from evaluation.measuring import Track
from evaluation.test_set import TestSet
from retrieval.settings import EngineSettings
from retrieval.types import Vectors

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured, and how. `patience`: seconds that a target may take for a step."""

    targets: tuple[Target, ...]
    sets: tuple[TextSet, ...]
    quality: TestSet | None
    rounds: int
    load: Load
    reference: str
    threads: int
    request_texts: int
    requests: int
    patience: float
    seed: int
    command: str


def measure(plan: Plan, settings: EngineSettings, track: Track) -> Bench:
    """Measure all targets side by side; one that fails is reported as that.

    Raises ConfigurationError where the plan can't be carried out.
    """
    if not plan.targets or not plan.sets:
        raise ConfigurationError("There is nothing to measure: it takes a target and a text set.")
    other = other_work()
    with _opened(plan, settings) as (field, cutters):
        found = _measured(plan, settings, field, cutters, track)
    notes = [*cutters.notes, *filter(None, [other])]
    if not found.peaks and any(one.is_local for one in plan.targets):
        notes.append("The peak of this machine couldn't be measured.")
    first = next((one.name for one in plan.targets if one.name not in field.failures), "")
    return Bench(
        machine=describe(),
        made=date.today(),
        command=plan.command,
        versions={
            name: version
            for one in found.loaded.values()
            for name, version in (one.versions or {}).items()
        },
        threads=plan.threads,
        rounds=plan.rounds,
        seed=plan.seed,
        request_texts=plan.request_texts,
        requests=plan.requests,
        first=first,
        reference=plan.reference,
        peaks=found.peaks,
        sets=tuple(one.figures for one in found.counted),
        quality_set=_told(plan.quality),
        notes=tuple(notes),
        results=results_of(plan.targets, field.failures, found, first, plan.reference),
    )


@contextmanager
def _opened(plan: Plan, settings: EngineSettings) -> Iterator[tuple[Field, Cutters]]:
    """Those that take part, and what cuts texts for them; all processes end with the block."""
    recipe = Recipe(
        device=settings.embedding_device,
        download=settings.embedding_download,
        calibration=str(settings.embedding_calibration or ""),
        cache=str(settings.cache),
        ollama_host=settings.ollama.host,
        ollama_api_key=settings.ollama.api_key,
        ollama_requests=settings.ollama.requests,
    )

    def start() -> Child:
        return Child(plan.threads, plan.patience)

    def entered(target: Target) -> Participant:
        if target.is_local:
            return Local(target, recipe, start, folder)
        return Server(target, portal, plan.request_texts, plan.requests, plan.patience)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="footnote-bench-")))
        portal = stack.enter_context(start_blocking_portal())
        participants = [entered(target) for target in plan.targets]
        for one in participants:
            stack.callback(one.close)
        yield Field(participants), stack.enter_context(cutting(start, recipe, folder))


def _measured(
    plan: Plan, settings: EngineSettings, field: Field, cutters: Cutters, track: Track
) -> Measured:
    models = list(dict.fromkeys(one.model for one in plan.targets if one.is_local))
    models = models or [settings.embedding_model]  # by which tokens are counted
    counted = cutters.count(plan.sets, models)
    loaded = _each(field, lambda one: one.load(), track("models", len(plan.targets)))
    sets = [one.texts for one in counted]
    watch = track("warm-up", len(field.running))
    vectors = _each(field, lambda one: {each.name: _vectors(one, each) for each in sets}, watch)
    before = _peaks(plan, settings, field)
    steps = plan.rounds * len(sets) * len(field.running)
    seconds = rounds(field, sets, plan.rounds, track("rounds", steps))
    after = _peaks(plan, settings, field)  # other work may have stopped one of the two
    peaks = {name: max(before.get(name, 0.0), after.get(name, 0.0)) for name in (*before, *after)}
    capacity: dict[str, float] = {}
    waited: dict[str, list[Latency]] = {}
    if plan.load.steps:
        short = cutters.count([built_in("short", None, plan.seed)], models)[0].texts
        capacity = capacities(field, short)
        watch = track("latency", plan.load.steps * len(field.running))
        waited = latencies(field, short, plan.load, capacity, watch)
    runs = _judged(plan, field, loaded, cutters, models[0], track) if plan.quality else {}
    footprints = _each(field, lambda one: one.footprint(), lambda _: None)
    return Measured(counted, loaded, peaks, vectors, seconds, capacity, waited, runs, footprints)


def _peaks(plan: Plan, settings: EngineSettings, field: Field) -> dict[str, float]:
    if not any(one.target.is_local for one in field.running):
        return {}
    return measured_peak(settings.embedding_device, plan.threads, plan.patience)


def _each(
    field: Field, step: Callable[[Participant], T], watch: Callable[[int], None]
) -> dict[str, T]:
    """What a step gives of each target, by name; those that fail at it are left out."""
    found = {}
    for done, one in enumerate(field.running, start=1):
        result = field.attempt(one, step)
        if result is not None:
            found[one.target.name] = result
        watch(done)
    return found


def _vectors(participant: Participant, texts: TextSet) -> Vectors:
    vectors = participant.embed(texts, keep=True).vectors
    if vectors is None:
        raise TargetFailed("It gave no vectors.")
    return vectors


def _judged(
    plan: Plan,
    field: Field,
    loaded: Mapping[str, Loaded],
    cutters: Cutters,
    usual: str,
    track: Track,
) -> dict[str, Judged]:
    """The run of each target over the retrieval set; a server's texts are cut as `usual` reads."""
    test_set = plan.quality
    if test_set is None:
        return {}
    ids, texts = zip(*whole_documents(test_set), strict=True)
    asked = list(test_set.questions.values())

    def run(participant: Participant) -> Judged:
        target, prefixes = participant.target, loaded[participant.target.name]
        model = target.model if target.is_local else usual
        documents = cutters.whole(texts, model, prefixes.document_prefix)
        questions = cutters.whole(asked, model, prefixes.query_prefix)
        watch = track(f"{test_set.name}, {target.name}", len(documents) + len(questions))
        vectors = embedded_in_parts(participant, [*documents, *questions], watch)
        split = len(documents)
        return judged(test_set, target.name, ids, vectors[:split], vectors[split:])

    return _each(field, run, lambda _: None)


def _told(test_set: TestSet | None) -> str:
    if test_set is None:
        return ""
    count = len(test_set.questions)
    told = f"{test_set.name}, {test_set.document_count:,} documents, {count:,} questions"
    return f"{told}. {test_set.note}" if test_set.note else told
