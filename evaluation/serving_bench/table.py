"""The figures as cells: what a server bears, and how long one waits, with and without ingestion
side by side.
"""

from collections.abc import Iterator, Mapping

from evaluation.report.grid import Grid, counted, rate_cell
from evaluation.report.latencies import PERCENTILES, load_cells, percentile_cells
from evaluation.serving_bench.figures import Beside, ServingBench, Step, Throughput


def grids(bench: ServingBench) -> tuple[Grid, ...]:
    """What there is to show, without columns and tables that are empty."""
    made = (_latencies(bench), _throughputs(bench), _ingestions(bench), _memory(bench))
    return tuple(one.without_blanks() for one in made if one.rows)


def remarks(bench: ServingBench) -> Iterator[str]:
    """What one has to know to read the figures."""
    yield (
        f"{bench.server}. {counted(bench.documents, 'document')} in "
        f"{counted(bench.chunks, 'chunk')} at the beginning; questions and documents of "
        f"{bench.texts}."
    )
    yield (
        f"{counted(bench.rounds, 'round')} of {bench.seconds:g} s a figure"
        f"{', with and without ingestion in turns' if bench.ingested else ''}: latencies are of "
        "all rounds together, rates a second their median with 95 % interval."
    )
    yield (
        "Requests came at random (Poisson), whether or not those before them were answered; "
        "latencies count from when each was due, and those that got no answer count as longer "
        f"than any. Throughput is of {counted(bench.clients, 'client')} that asked again as soon "
        "as they were answered; shares of capacity are of that with nothing beside it, in the "
        "first round."
    )
    if bench.ingested:
        yield (
            "Beside is beside ingestion: further documents were sent all the time, 4 requests of 8 "
            "at once, each waiting until its texts were searchable; so the knowledge base grows."
        )
    yield (
        "Questions were repeated: the server remembers the vectors of the last thousands."
        if bench.same_questions
        else "Each question has a number of its own after it: the server remembers the vectors of "
        "questions, and no two of a run are the same."
    )
    took = [one.client for one in bench.throughputs] + [one.client for one in bench.steps]
    yield f"The client ran on this machine too: it took {max(took):.2f} cores at the most."
    yield from bench.notes


def _latencies(bench: ServingBench) -> Grid:
    loaded = {
        (one.call, one.latency.rate): one for one in bench.steps if one.beside is Beside.INGESTION
    }
    rows = tuple(
        (
            one.call.value,
            *load_cells(one.latency),
            *_waited(one),
            *_waited(loaded.get((one.call, one.latency.rate))),
        )
        for one in bench.steps
        if one.beside is Beside.NOTHING
    )
    told = (*PERCENTILES, "errors", "texts/s")
    headings = ("call", "requests/s", "of capacity", "requests", *told, *map(_beside, told))
    return Grid("Latency", headings, rows)


def _waited(step: Step | None) -> tuple[str, ...]:
    """Percentiles, errors, texts ingested a second."""
    if step is None:
        return ("",) * (len(PERCENTILES) + 2)
    return (*percentile_cells(step.latency), _told(step.errors), _rate(step.ingested))


def _throughputs(bench: ServingBench) -> Grid:
    loaded = {one.call: one for one in bench.throughputs if one.beside is Beside.INGESTION}
    rows = tuple(
        (one.call.value, *_answered(one), *_answered(loaded.get(one.call)))
        for one in bench.throughputs
        if one.beside is Beside.NOTHING
    )
    told = ("answers/s", "errors", "client, cores", "texts/s")
    headings = ("call", *told, *map(_beside, told))
    return Grid(f"Throughput of {counted(bench.clients, 'client')}", headings, rows)


def _answered(found: Throughput | None) -> tuple[str, ...]:
    """Answers a second, errors, cores of the client, texts ingested a second."""
    if found is None:
        return ("",) * 4
    cores = f"{found.client:.2f}"
    return rate_cell(found.answers), _told(found.errors), cores, _rate(found.ingested)


def _beside(heading: str) -> str:
    return f"beside: {heading}"


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _ingestions(bench: ServingBench) -> Grid:
    rows = tuple(
        (
            "beside requests" if one.while_asked else "nothing beside it",
            f"{one.texts:,}",
            f"{one.failed:,}" if one.failed else "",
            rate_cell(one.rate),
        )
        for one in bench.ingestions
    )
    return Grid("Ingestion", ("documents", "searchable", "failed", "a second"), rows)


def _memory(bench: ServingBench) -> Grid:
    found = bench.memory
    values = (found.ready, found.filled, found.peak) if found else ()
    filled = f"with {counted(bench.documents, 'document')}"
    rows = (("server", *(f"{value:,.0f}" for value in values)),) if values else ()
    return Grid("Memory of the server, MB", ("process", "ready", filled, "peak"), rows)


def _told(errors: Mapping[str, int]) -> str:
    """`429: 12, timeout: 1`."""
    return ", ".join(f"{status}: {count:,}" for status, count in sorted(errors.items()))
