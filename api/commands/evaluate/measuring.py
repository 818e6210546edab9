"""What the commands that rank sets begin with: the settings' configuration, and judged runs."""

from collections.abc import Sequence
from pathlib import Path

from api.commands.options import settings
from api.progress import tracking
from evaluation.configuration import Configuration
from evaluation.judging import Judged
from evaluation.measuring import measure
from evaluation.test_set import TestSet


def usual(data: Path | None) -> Configuration:
    """What isn't said of a run."""
    return Configuration("hybrid", model=settings(data).embedding_model)


def measured(test_set: TestSet, asked: Sequence[Configuration], data: Path | None) -> list[Judged]:
    """The runs, judged, with the progress shown."""
    with tracking() as track:
        return measure(test_set, asked, settings(data).data / "evaluation", track)
