"""The figures of a set as cells, for whatever prints them: in hundredths, with 95 % intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from evaluation.configuration import Configuration
from evaluation.report.content import METRIC, SetReport
from evaluation.significance import Interval

_ALWAYS = ("mode", "model")


@dataclass(frozen=True, slots=True)
class Row:
    """A cell for each run."""

    head: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A column a run, for there are more measures than runs: how it was made, what it is worth."""

    runs: tuple[str, ...]
    settings: tuple[Row, ...]
    figures: tuple[Row, ...]


def tabulate(report: SetReport) -> Table:
    """Every measure of every run; below, the differences to the first run and their p-values."""
    made = [one.configuration for one in report.runs]
    return Table(tuple(one.name for one in made), tuple(_settings(made)), tuple(_figures(report)))


def _settings(made: Sequence[Configuration]) -> Iterator[Row]:
    """Those that are always of interest, and those that any run has another value of than usual."""
    for field in fields(Configuration)[1:]:  # without the name
        values = [getattr(one, field.name) for one in made]
        if field.name in _ALWAYS or any(value != field.default for value in values):
            yield Row(field.name, tuple(map(str, values)))


def _figures(report: SetReport) -> Iterator[Row]:
    for metric in report.runs[0].metrics:
        yield Row(metric, tuple(shown(one.metrics[metric]) for one in report.runs))
    if report.compared:
        first = report.runs[0].configuration.name
        told = (shown(one.difference.interval, signed=True) for one in report.compared)
        yield Row(f"{METRIC}, difference to {first}", ("", *told))
        yield Row("p of it, adjusted (Holm)", ("", *(f"{one.p:.4f}" for one in report.compared)))


def shown(bounds: Interval, *, signed: bool = False) -> str:
    """The mean and its bounds, in hundredths."""
    form = "+.1f" if signed else ".1f"
    mean, low, high = (format(100 * one, form) for one in (bounds.mean, bounds.low, bounds.high))
    return f"{mean} [{low}, {high}]"
