"""Runs as they may come out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evaluation.worker_scaling.locks import Turns
from evaluation.worker_scaling.runs import Run
from evaluation.worker_scaling.sites import ACCEPTING, PARSING, WORKING

MakeRun = Callable[..., Run]

_RUN = Run(
    workers=1,
    knowledge_bases=1,
    documents=100,
    chunks=700,
    seconds=10.0,
    processors={WORKING: 8.0, PARSING: 2.0, "Postgres": 1.0, "S3": 3.0, ACCEPTING: 0.5},
    busiest=8.0,
    busy=16.0,
    cores=2,
    stages={"parsing": 1.0, "writing": 4.0},
    writing=Turns(0.25, 0.5),
    publishing=Turns(0.75, 0.0),
    faults=(),
)


@pytest.fixture
def made() -> MakeRun:
    """A run at 10 documents/s, but for what is told."""

    def make(**different: Any) -> Run:
        return replace(_RUN, **different)

    return make
