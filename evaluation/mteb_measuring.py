"""Sets measured by MTEB, with its own code. Needs the extra `mteb`, but no network."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import datasets
import mteb

from evaluation.measuring import Track
from evaluation.mteb_model import MtebModel
from evaluation.mteb_task import SPLIT, task_of
from evaluation.test_set import TestSet
from retrieval.embedding.embedder import Embedder

_BATCH = 256  # texts that MTEB hands over at a time; they are embedded in the embedder's batches


@dataclass(frozen=True, slots=True)
class Scored:
    """What MTEB says of a model on a set, its scores by its own names, None where it has NaN.

    Documents without a text aren't counted. `path` is MTEB's file, if there is one.
    """

    task: str
    model: str
    revision: str
    note: str
    questions: int
    documents: int
    cut_questions: int
    cut_documents: int
    scores: Mapping[str, float | None]
    path: Path | None


def measure(
    embedder: Embedder, sets: Sequence[TestSet], folder: Path | None, track: Track
) -> Iterator[Scored]:
    """Each set as soon as it is measured; in the folder MTEB keeps its results, as
    `mteb.ResultCache(folder)` reads them. What was there of the same model is measured again.

    Raises EmbeddingFailed.
    """
    cache = mteb.ResultCache(folder) if folder else None
    for name, test_set in zip(_names(sets), sets, strict=True):
        documents = sum(bool(entry.text.strip()) for entry in test_set.documents)
        watch = track(f"{name}, texts", documents + len(test_set.questions))
        model, task = MtebModel(embedder, watch), task_of(test_set, name)
        with _no_bars():
            [result] = mteb.evaluate(
                model,
                task,
                co2_tracker=False,
                cache=cache,
                overwrite_strategy="always",
                encode_kwargs={"batch_size": _BATCH, "show_progress_bar": False},
                show_progress_bar=False,
            ).task_results
        [scores] = result.scores[SPLIT]
        meta = model.mteb_model_meta
        yield Scored(
            task=name,
            model=str(meta.name),
            revision=str(meta.revision),
            note=test_set.note,
            questions=len(test_set.questions),
            documents=documents,
            cut_questions=model.cut_questions,
            cut_documents=model.cut_documents,
            scores={
                key: None if math.isnan(value) else float(value)
                for key, value in scores.items()
                if isinstance(value, int | float)
            },
            path=cache.get_task_result_path(name, meta) if cache else None,
        )


def _names(sets: Sequence[TestSet]) -> list[str]:
    """Of the tasks: those of the sets, with a number where two have the same."""
    names: list[str] = []
    for one in sets:
        name, count = one.name, 1
        while name in names:
            count += 1
            name = f"{one.name}-{count}"
        names.append(name)
    return names


@contextmanager
def _no_bars() -> Iterator[None]:
    """MTEB has a bar for each step of preparing texts; ours shows how far a set is."""
    shown = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not shown:
            datasets.enable_progress_bars()
