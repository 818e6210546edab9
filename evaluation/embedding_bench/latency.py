"""How long single texts wait for their vectors when they come at a given rate."""

from collections.abc import Callable

from evaluation.embedding_bench.field import Field
from evaluation.embedding_bench.participants import Participant
from evaluation.embedding_bench.texts import TextSet
from evaluation.latency import Latency, Load

_PATIENCE = 30.0  # seconds after the last of them


def capacities(field: Field, texts: TextSet) -> dict[str, float]:
    """Single texts a second of each target, all of them waiting at once."""
    found = {}
    for one in field.running:
        seconds = field.attempt(one, lambda each: each.singles(texts))
        if seconds is not None:
            found[one.target.name] = len(texts.texts) / max(seconds, 1e-9)
    return found


def latencies(
    field: Field,
    texts: TextSet,
    load: Load,
    capacity: dict[str, float],
    watch: Callable[[int], None],
) -> dict[str, list[Latency]]:
    """Of each target at each rate, in turns: the lowest rate of all, then the next."""
    found: dict[str, list[Latency]] = {}
    done = 0
    for step in range(load.steps):
        for one in field.turns(step):
            most = capacity[one.target.name]
            rate = load.rate(step, most)
            measured = field.attempt(
                one,
                lambda each, rate=rate, most=most: latency(each, texts, rate, rate / most, load),  # type: ignore[misc]
            )
            if measured is not None:
                found.setdefault(one.target.name, []).append(measured)
            done += 1
            watch(done)
    return found


def latency(
    participant: Participant, texts: TextSet, rate: float, share: float, load: Load
) -> Latency:
    """At one rate. Raises TargetFailed."""
    taken = participant.serve(texts, load.arrivals(rate), _PATIENCE)
    return Latency.of(rate, share, taken)
