"""Which backend runs a model here: the one that is asked for, or the fastest by a short trial.

What a trial found is noted for this machine, so that the next start needn't try again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from retrieval.embedding.calibration_texts import read_passages
from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.openvino import OpenVinoBackend
from retrieval.embedding.precision import Backend, Precision, Runtime
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.torch import TorchBackend
from retrieval.embedding.trial import BATCHES, USUAL_BATCH, reference, try_out
from retrieval.errors import ModelUnavailable
from retrieval.ports import EmbeddingBackend
from retrieval.processor import available_cores, processor_name
from retrieval.types import Vectors

_log = structlog.get_logger()

NEAR = 0.999
"""The lowest cosine to the model's own vectors with which a lossy backend is chosen unasked."""
_SAME = 0.9999  # the lowest of one that computes with the same numbers
_USABLE = 0.8  # the lowest with which a backend runs that was asked for
_WORTH = 1.1  # times as fast as the best lossless one: for less, other vectors aren't worth it


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of a backend: one by name, or any of a precision, or none in particular.

    `calibration`: a file or folder of texts that int8 takes its scales from.
    """

    backend: Backend | None = None
    dtype: str = ""
    calibration: Path | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Of a trial: tokens a second in batches of the usual size, by which backends are compared,
    the lowest cosine, and of one that was chosen the batches that suit it; or why there is nothing.
    """

    rate: float = 0.0
    cosine: float = 0.0
    batch_tokens: int | None = None
    error: str = ""

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "_Outcome":
        size = found["batch_tokens"]
        return cls(
            float(found["rate"]),
            float(found["cosine"]),
            None if size is None else int(size),
            str(found["error"]),
        )


@dataclass(slots=True)
class Choosing:
    """The choice for one model on this machine."""

    model: SentenceModel
    cache: ModelCache
    wishes: Wishes
    _expected: Vectors | None = field(default=None, init=False)

    def open(self) -> EmbeddingBackend:
        """The backend, with the batches that suit it. Raises ModelUnavailable."""
        candidates = self._candidates()
        outcomes = {each: self._outcome(each, len(candidates) > 1) for each in candidates}
        chosen = _best(outcomes)
        if chosen is None:
            reasons = "; ".join(f"{each}: {found.error}" for each, found in outcomes.items())
            raise ModelUnavailable(f"No backend runs {self.model.identity}. {reasons}")
        batch_tokens = outcomes[chosen].batch_tokens or self._sized(chosen, outcomes[chosen])
        if len(candidates) > 1:
            rates = {str(each): round(o.rate) for each, o in outcomes.items() if not o.error}
            failed = {str(each): found.error for each, found in outcomes.items() if found.error}
            why = {"failed": failed} if failed else {}
            _log.info("embedding_backend", chosen=str(chosen), tokens_per_second=rates, **why)
        return self._backend(chosen, batch_tokens)

    def _candidates(self) -> tuple[Backend, ...]:
        wanted, precision = self.wishes.backend, self._precision()
        if wanted and precision in (None, wanted.precision):
            return (wanted,)
        on_cpu = self.model.device == "cpu"
        offered = [each for each in Backend if on_cpu or each.runtime is Runtime.TORCH]
        if precision is not None:
            return tuple(each for each in offered if each.precision is precision)
        # What torch computes with fewer bits on a processor is slower than what OpenVINO does.
        lossy = (Backend.OPENVINO_BF16,) if on_cpu else (Backend.TORCH_BF16, Backend.TORCH_FP16)
        return tuple(e for e in offered if e.precision is Precision.NATIVE or e in lossy)

    def _precision(self) -> Precision | None:
        """The one that is asked for by the dtype of an identity, if any is."""
        dtype = self.wishes.dtype
        if not dtype:
            return None
        if dtype == self.model.identity.dtype:
            return Precision.NATIVE
        return next((p for p in Precision if p and p == dtype.partition("-")[0]), Precision.NATIVE)

    def _outcome(self, backend: Backend, is_one_of_several: bool) -> _Outcome:
        """Of the first trial, made now if it never was. A failure is believed where others can run
        the model: who asks for a backend by name may have mended what was amiss.
        """
        noted = self.cache.recall(self._note)
        try:
            outcome = _Outcome.from_json(noted[backend])
        except (KeyError, TypeError, ValueError, AttributeError):
            return self._try(backend)  # nothing noted, or by another release
        return outcome if is_one_of_several or not outcome.error else self._try(backend)

    def _try(self, backend: Backend) -> _Outcome:
        """Of a trial made now, and noted, unless what kept it from running may pass."""
        _log.info("trying_embedding_backend", backend=str(backend), how_often="once a machine")
        try:
            trial = try_out(self._backend(backend), self._expected_vectors(), (USUAL_BATCH,))
        except Exception as error:  # noqa: BLE001 - a backend that can't run is no choice
            outcome = _Outcome(error=str(error).partition("\n")[0] or type(error).__name__)
            if _may_pass(error):
                return outcome
        else:
            least = _SAME if backend.precision is Precision.NATIVE else _USABLE
            near = trial.cosine >= least  # which NaN isn't
            wrong = f"its vectors are wrong: one has a cosine of {trial.cosine:.5f} to the model's"
            outcome = _Outcome(trial.best, trial.cosine) if near else _Outcome(error=wrong)
        self._keep(backend, outcome)
        return outcome

    def _sized(self, backend: Backend, outcome: _Outcome) -> int:
        """The batches that suit a backend, by a second trial; the usual ones where it fails."""
        try:
            size = try_out(self._backend(backend), None, BATCHES).batch_tokens
        except Exception as error:  # noqa: BLE001 - it ran before, so it may again
            _log.warning("embedding_batches_not_tried", backend=str(backend), error=str(error))
            return USUAL_BATCH
        self._keep(backend, replace(outcome, batch_tokens=size))
        return size

    def _expected_vectors(self) -> Vectors:
        """What the model itself gives for the texts of a trial."""
        if self._expected is None:
            self._expected = reference(TorchBackend(self.model))
        return self._expected

    def _backend(self, backend: Backend, batch_tokens: int | None = None) -> EmbeddingBackend:
        if backend.runtime is Runtime.TORCH:
            return TorchBackend(self.model, backend.precision, batch_tokens)
        quantised = backend.precision is Precision.INT8
        return OpenVinoBackend(
            self.model,
            backend.precision,
            self.cache,
            calibration=read_passages(self.wishes.calibration) if quantised else (),
            dtype=self.wishes.dtype,
            batch_tokens=batch_tokens,
        )

    def _keep(self, backend: Backend, outcome: _Outcome) -> None:
        noted = self.cache.recall(self._note)
        self.cache.note(self._note, {**noted, str(backend): asdict(outcome)})

    @property
    def _note(self) -> str:
        """Of the model, on a machine like this, with the libraries that there are."""
        about = (
            processor_name(),
            available_cores(),
            self.model.device,
            *(version(library) for library in ("footnote", "openvino", "torch")),
        )
        digest = hashlib.sha256(repr(about).encode()).hexdigest()
        return f"trial-{self.model.key}-{digest[:12]}"


def _may_pass(error: BaseException) -> bool:
    """Whether a backend that failed so may run another time."""
    kinds = (OSError, MemoryError)
    full = "out of memory" in str(error).lower()  # of a GPU
    return full or isinstance(error, kinds) or isinstance(error.__cause__, kinds)


def _best(outcomes: Mapping[Backend, _Outcome]) -> Backend | None:
    """The fastest; a lossy one where it is near enough and clearly faster, or nothing else runs."""
    ran = {each: found for each, found in outcomes.items() if not found.error}
    if len(outcomes) == 1:
        return next(iter(ran), None)
    lossless = [each for each in ran if each.precision is Precision.NATIVE]
    fastest = max(lossless, key=lambda each: ran[each].rate, default=None)
    if fastest is None:
        return max(ran, key=lambda each: ran[each].rate, default=None)
    worth = [
        each
        for each in ran
        if each.precision is not Precision.NATIVE
        and ran[each].cosine >= NEAR
        and ran[each].rate >= _WORTH * ran[fastest].rate
    ]
    return max(worth, key=lambda each: ran[each].rate, default=fastest)
