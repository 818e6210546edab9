"""What came of a soak of many processes, as it is reported."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from evaluation.cluster_soak.fleet import Restart
from evaluation.serving_soak.faults import Fault
from evaluation.serving_soak.figures import CallFigures


@dataclass(frozen=True, slots=True)
class ClusterFigures:
    """`uploaded` documents took so many `seconds`, while clients wrote and deleted others; `agreed`
    questions were asked of all who serve; `lost` calls were cut off and may have been done.
    """

    machine: str
    made: date
    command: str
    server: str
    servers: int
    workers: int
    clients: int
    every: float
    seed: int
    seconds: float
    uploaded: int
    written: int
    deleted: int
    documents: int
    agreed: int
    lost: int
    retries: Mapping[str, int]
    calls: tuple[CallFigures, ...]
    restarts: tuple[Restart, ...]
    doctor: tuple[str, ...]
    counts: Mapping[str, int]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.counts

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "made": self.made.isoformat(), "sound": self.sound}
