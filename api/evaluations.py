"""What an evaluation of a knowledge base said, as JSON: told to clients, and kept."""

import shutil
import time
from enum import StrEnum
from pathlib import Path
from typing import Self

import structlog
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import delete, select

from evaluation.report.content import SetReport
from evaluation.significance import Interval
from retrieval.database import Database
from retrieval.fusion import Fusion
from retrieval.schema import evaluations, knowledge_bases
from retrieval.types import Mode

_log = structlog.get_logger()


class Source(StrEnum):
    """Where the questions of an evaluation are from."""

    FEEDBACK = "feedback"
    GENERATED = "generated"
    QUESTIONS = "questions"


class Bounds(BaseModel):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, interval: Interval) -> Self:
        return cls.model_validate(interval, from_attributes=True)


class RunFigures(BaseModel):
    name: str
    mode: Mode
    fusion: Fusion
    weight: float | None = Field(description="Of the dense leg; none where it is calibrated")
    metrics: dict[str, Bounds]


class RunDifference(BaseModel):
    """How much higher a run's measure is than the baseline's."""

    name: str
    baseline: str
    metric: str
    difference: Bounds
    p: float = Field(description="How likely it is chance, adjusted for there being several runs")


class Evaluation(BaseModel):
    source: Source
    questions: int
    documents: int
    note: str = Field(description="What one has to know to read the figures")
    made_at: float
    runs: list[RunFigures]
    comparisons: list[RunDifference]

    @classmethod
    def of(cls, source: Source, report: SetReport) -> Self:
        """What a report says, as of now."""
        return cls(
            source=source,
            questions=report.questions,
            documents=report.documents,
            note=report.note,
            made_at=time.time(),
            runs=[
                RunFigures(
                    name=one.configuration.name,
                    mode=one.configuration.mode,
                    fusion=one.configuration.fusion,
                    weight=one.configuration.weight,
                    metrics={name: Bounds.of(value) for name, value in one.metrics.items()},
                )
                for one in report.runs
            ],
            comparisons=[
                RunDifference(
                    name=one.name,
                    baseline=report.runs[0].configuration.name,
                    metric=one.metric,
                    difference=Bounds.of(one.difference.interval),
                    p=one.p,
                )
                for one in report.compared
            ],
        )


class Kept(BaseModel):
    """An evaluation and its report as HTML: one row, so that the two are always of one time.

    `shown` are the uris of the documents that the report has texts of.
    """

    evaluation: Evaluation
    report: str
    shown: list[str]


class Evaluations:
    """Keeps the last evaluation of each knowledge base in the catalogue. Any thread may call it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, kb_id: str, kept: Kept) -> None:
        """Replace the last one; of a knowledge base that is gone none is kept."""
        there = select(knowledge_bases.c.id).where(knowledge_bases.c.id == kb_id)
        with self._database.write() as connection:
            connection.execute(delete(evaluations).where(evaluations.c.kb_id == kb_id))
            if connection.scalar(there) is not None:
                row = {"kb_id": kb_id, **kept.model_dump(mode="json")}
                connection.execute(evaluations.insert().values(row))

    def of(self, kb_id: str) -> Kept | None:
        """The last one, if there is any; one that another version wrote in another way is none."""
        query = select(evaluations).where(evaluations.c.kb_id == kb_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        try:
            return Kept.model_validate(row, from_attributes=True) if row else None
        except ValidationError as error:
            _log.warning("evaluation_unreadable", kb_id=kb_id, error=type(error).__name__)
            return None

    def forget(self, kb_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(evaluations).where(evaluations.c.kb_id == kb_id))

    def adopt(self, folder: Path) -> None:
        """Move in what earlier versions kept in files, a folder a knowledge base by its id."""
        for path in folder.glob("*/last.json"):
            try:
                self.keep(path.parent.name, Kept.model_validate_json(path.read_bytes()))
            except ValidationError as error:
                _log.warning("evaluation_unreadable", path=str(path), error=type(error).__name__)
        shutil.rmtree(folder, ignore_errors=True)
