"""How much each leg can be trusted over a knowledge base, found out without judgements.

Known items are searched for by each leg, and a leg weighs as the square of how well it does, as
in Wu, Bi, Zeng, Han, "Assigning Appropriate Weights for the Linear Combination Data Fusion Method
in Information Retrieval", IPM 45(4), 2009. So a model that doesn't read the language of the
documents gets little to say. One half of the items decides on the weight; on the other it has to
hold against equal weights.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

import structlog

from retrieval.background import Background
from retrieval.calibration import UNCALIBRATED, Calibration, Calibrations, Found, Trial
from retrieval.chunks import Chunks
from retrieval.errors import RetrievalError
from retrieval.fusion import Fusion, Scores, fuse
from retrieval.known_item_search import Carry, KnownItemSearcher
from retrieval.known_items import known_items
from retrieval.ports import Stores
from retrieval.types import KnowledgeBase
from retrieval.works import Works

_log = structlog.get_logger()

_LEAST = 64  # chunks of a knowledge base whose background says anything
_GROWTH = 2  # times as many chunks, or as few, and it is calibrated again
_ITEMS = 200
_FEWEST = 40  # items that can decide anything
_SAMPLE = 4_096  # vectors that the background is taken from
_BLOCK = 500  # of them in hand
_ERRORS = 2.0  # standard errors that the weight may do worse than equal ones
_LOOK = 1.0  # seconds between two looks whether another process has made it
_PRIOR = 0.1**2  # squared reciprocal rank that each leg is given beforehand: the tenth place


@dataclass(frozen=True, slots=True)
class _Searched:
    """What the legs found for a known item: standardised cosines, and BM25. `legible` of the
    question is what the dense leg's weight is scaled with.
    """

    target: str
    dense: dict[str, float]
    lexical: dict[str, float]
    legible: float

    def reciprocal_rank(self, scores: Scores) -> float:
        own = scores[self.target]
        return 1.0 / (1 + sum(score > own for key, score in scores.items() if key != self.target))


class Calibrator:
    """Calibrates knowledge bases when they have grown. Any thread may call it."""

    def __init__(
        self,
        stores: Stores,
        chunks: Chunks,
        known_items: KnownItemSearcher,
        calibrations: Calibrations,
        works: Works,
    ) -> None:
        self._stores = stores
        self._chunks = chunks
        self._known_items = known_items
        self._calibrations = calibrations
        self._works = works

    def refresh(self, kb: KnowledgeBase, carry_on: Carry = lambda: None) -> Calibration | None:
        """The calibration of a knowledge base, made anew where it has changed much.

        None where there is too little text to tell. Takes some seconds; questions go first. Where
        it fails, that is logged, and what was known stays. Of several processes one makes it, and
        the others wait for it.
        """
        known, chunks = self._known(kb)
        while not _suffices(known, kb, chunks):
            with self._works.turn(f"calibration {kb.id}", kb) as turn:
                known, chunks = self._known(kb)  # which somebody else may have made by now
                if turn and not _suffices(known, kb, chunks):
                    return self._made(kb, chunks, carry_on) or known
            if turn is None:
                carry_on()
                time.sleep(_LOOK)
        return known

    def _known(self, kb: KnowledgeBase) -> tuple[Calibration | None, int]:
        """What is known, and how many chunks there are."""
        return self._calibrations.of(kb), self._stores.lexical(kb.generation.id).count()

    def _made(self, kb: KnowledgeBase, chunks: int, carry_on: Carry) -> Calibration | None:
        """A new one, kept; None where that fails."""
        try:
            made = self._calibrated(kb, chunks, carry_on)
        except RetrievalError as error:  # nothing that anybody asked for fails by it
            _log.warning("not_calibrated", knowledge_base=kb.name, error=str(error))
            return None
        self._calibrations.keep(kb, made)
        return made

    def adopt(self, kb: KnowledgeBase, found: Found) -> None:
        """Take what was found over the same chunks elsewhere; nothing is embedded."""
        self._calibrations.keep(kb, Calibration(found, self._background(kb, found.chunks)))

    def _background(self, kb: KnowledgeBase, chunks: int) -> Background:
        ids = self._chunks.sample(kb, _SAMPLE)
        parts = (ids[at : at + _BLOCK] for at in range(0, len(ids), _BLOCK))
        blocks = (self._chunks.vectors(kb, part)[1] for part in parts)
        return Background.of(blocks, kb.generation.model.dimension, chunks)

    def _calibrated(self, kb: KnowledgeBase, chunks: int, carry_on: Carry) -> Calibration:
        background = self._background(kb, chunks)
        wanted = kb.settings.dense_weight is None
        searched = self._searched(kb, background, carry_on) if wanted else []
        tuning, left_out = searched[::2], searched[1::2]
        weight = _weight(tuning)
        kept = len(searched) >= _FEWEST and _holds(weight, left_out)
        weight = weight if kept else UNCALIBRATED
        found = Found(
            weight, kept, _trial(tuning, weight), _trial(left_out, weight), chunks, time.time()
        )
        return Calibration(found, background)

    def _searched(
        self, kb: KnowledgeBase, background: Background, carry_on: Carry
    ) -> list[_Searched]:
        items = known_items(self._chunks, kb, _ITEMS)
        return [
            _Searched(
                one.target,
                background.standardised(vector, one.candidates.dense),
                one.candidates.lexical,
                one.asked.legible,
            )
            for one in self._known_items.search(kb, items, carry_on)
            if (vector := one.asked.vector) is not None
        ]


def _suffices(known: Calibration | None, kb: KnowledgeBase, chunks: int) -> bool:
    """Whether there is nothing to find out: what is known serves, or there is too little text."""
    return chunks < _LEAST or (known is not None and _serves(known.found, kb, chunks))


def _serves(found: Found, kb: KnowledgeBase, chunks: int) -> bool:
    """Whether what was found still says something of a knowledge base of so many chunks."""
    if kb.settings.dense_weight is None and not found.tuned.questions:
        return False  # when it was made, the settings said how much the legs weigh
    return found.chunks / _GROWTH < chunks < found.chunks * _GROWTH


def _weight(searched: Sequence[_Searched]) -> float:
    """The dense leg's share of the squared mean reciprocal ranks, drawn towards equal weights where
    neither leg finds much: in texts that repeat themselves a sentence leads nowhere.
    """
    trial = _trial(searched, UNCALIBRATED)
    dense, lexical = trial.dense**2 + _PRIOR, trial.lexical**2 + _PRIOR
    return dense / (dense + lexical)


def _holds(weight: float, searched: Sequence[_Searched]) -> bool:
    """Whether a weight does no worse than equal ones, but for what may be chance."""
    equal, weighted = _fused(searched, UNCALIBRATED), _fused(searched, weight)
    gains = [after - before for before, after in zip(equal, weighted, strict=True)]
    error = pstdev(gains) / math.sqrt(len(gains))
    return bool(fmean(gains) >= -_ERRORS * error)


def _trial(searched: Sequence[_Searched], weight: float) -> Trial:
    if not searched:
        return Trial(0, 0.0, 0.0, 0.0, 0.0)
    return Trial(
        questions=len(searched),
        dense=fmean(one.reciprocal_rank(one.dense) for one in searched),
        lexical=fmean(one.reciprocal_rank(one.lexical) for one in searched),
        equal=fmean(_fused(searched, UNCALIBRATED)),
        weighted=fmean(_fused(searched, weight)),
    )


def _fused(searched: Sequence[_Searched], weight: float) -> list[float]:
    return [
        one.reciprocal_rank(
            fuse(Fusion.BACKGROUND, one.dense, one.lexical, weight * one.legible).scores
        )
        for one in searched
    ]
