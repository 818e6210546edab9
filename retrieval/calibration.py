"""What is known of a generation's legs without anybody's judgements, kept in the catalogue."""

from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy import delete, select

from retrieval.background import Background
from retrieval.database import Database
from retrieval.schema import CALIBRATED_AT, calibrations, generations
from retrieval.types import KnowledgeBase

UNCALIBRATED = 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """Mean reciprocal ranks of known items: of each leg, and of both with some weights."""

    questions: int
    dense: float
    lexical: float
    equal: float
    weighted: float


@dataclass(frozen=True, slots=True)
class Found:
    """The dense leg's weight, from questions made of the text, and what it does on others.

    `kept` says whether the weight held on the questions that were left out; else it is 0.5.
    """

    weight: float
    kept: bool
    tuned: Trial
    held_out: Trial
    chunks: int
    made_at: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a generation's legs are fused."""

    found: Found
    background: Background


class Calibrations:
    """Keeps the calibration of each generation. Any thread may call it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Calibration]] = {}

    def of(self, kb: KnowledgeBase) -> Calibration | None:
        """That of the knowledge base's generation, if it has been calibrated."""
        query = select(CALIBRATED_AT).where(calibrations.c.generation_id == kb.generation.id)
        with self._database.read() as connection:
            made_at = connection.scalar(query)
        return self.made(kb, made_at)

    def made(self, kb: KnowledgeBase, at: float | None) -> Calibration | None:
        """That of the generation which was made at this time, as the catalogue says it; a newer
        one, where another process has made that meanwhile.
        """
        if at is None:
            return None
        known_at, known = self._known.get(kb.generation.id, (None, None))
        if known_at != at:
            known = self._read(kb.generation.id)
            if known:
                self._known[kb.generation.id] = (at, known)
        return known

    def keep(self, kb: KnowledgeBase, calibration: Calibration) -> bool:
        """Replace that of the knowledge base's generation; whether it is still there."""
        generation, background = kb.generation.id, calibration.background
        with self._database.write() as connection:
            there = select(generations.c.id).where(generations.c.id == generation)
            if connection.scalar(there) is None:
                return False
            connection.execute(
                delete(calibrations).where(calibrations.c.generation_id == generation)
            )
            connection.execute(
                calibrations.insert().values(
                    generation_id=generation,
                    found=asdict(calibration.found),
                    mean=background.mean.astype("<f4").tobytes(),
                    covariance=background.covariance.astype("<f4").tobytes(),
                )
            )
        return True

    def _read(self, generation: str) -> Calibration | None:
        query = select(calibrations).where(calibrations.c.generation_id == generation)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        found = Found(
            **row.found
            | {"tuned": Trial(**row.found["tuned"]), "held_out": Trial(**row.found["held_out"])}
        )
        mean = np.frombuffer(row.mean, dtype="<f4")
        covariance = np.frombuffer(row.covariance, dtype="<f4").reshape(len(mean), len(mean))
        return Calibration(found, Background(mean, covariance, found.chunks))
