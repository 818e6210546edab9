"""A target in a process of its own on this machine."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from evaluation.embedding_bench.child import Child
from evaluation.embedding_bench.messages import (
    Embed,
    Fit,
    Fitted,
    Footprint,
    Load,
    Loaded,
    Recipe,
    Serve,
    Served,
    Singles,
    Tell,
    Took,
)
from evaluation.embedding_bench.participants import Embedded
from evaluation.embedding_bench.targets import Target
from evaluation.embedding_bench.texts import TextSet
from evaluation.errors import TargetFailed


class Local:
    """Texts and vectors pass through files of a folder."""

    def __init__(
        self, target: Target, recipe: Recipe, start: Callable[[], Child], folder: Path
    ) -> None:
        self.target = target
        self._recipe = recipe
        self._start = start
        self._started: Child | None = None
        self._folder = folder

    @property
    def _child(self) -> Child:
        """Its process, not started before it is needed: starting takes a core for a second."""
        if self._started is None:
            self._started = self._start()
        return self._started

    def load(self) -> Loaded:
        return self._child.ask(Load(self.target, self._recipe), Loaded)

    def embed(self, texts: TextSet, *, keep: bool = False) -> Embedded:
        into = self._folder / f"vectors-{id(self)}.npy"
        order = Embed(given(self._folder, texts), str(into) if keep else "")
        took = self._child.ask(order, Took)
        if not keep:
            return Embedded(took.seconds, None)
        vectors = np.load(into, allow_pickle=False)
        into.unlink()
        if vectors.shape[0] != len(texts.texts) or not np.isfinite(vectors).all():
            raise TargetFailed(f"{vectors.shape[0]} vectors for {len(texts.texts)} texts, or NaN.")
        return Embedded(took.seconds, vectors)

    def singles(self, texts: TextSet) -> float:
        return self._child.ask(Singles(given(self._folder, texts)), Took).seconds

    def serve(self, texts: TextSet, due: Sequence[float], patience: float) -> list[float | None]:
        order = Serve(given(self._folder, texts), tuple(due), patience)
        longest = due[-1] + patience + 60  # it answers itself when its own patience ends
        return list(self._child.ask(order, Served, longest).latencies)

    def footprint(self) -> Footprint:
        return self._child.ask(Tell(), Footprint)

    def close(self) -> None:
        if self._started is not None:
            self._started.close()


class Cutter:
    """A model's tokenizer, in a process of its own: cuts texts to its window, counts tokens."""

    def __init__(self, model: str, recipe: Recipe, child: Child, folder: Path) -> None:
        self._model, self._recipe = model, recipe
        self._child = child
        self._folder = folder

    def cut(self, texts: TextSet, prefix: str = "") -> tuple[TextSet, list[int], int]:
        """The texts as they fit the window after a prefix, their tokens, and how many were cut.

        Raises TargetFailed.
        """
        into, counts = self._folder / "fitted.json", self._folder / "counts.npy"
        path = given(self._folder, texts)
        order = Fit(self._model, self._recipe, path, str(into), str(counts), prefix)
        cut = self._child.ask(order, Fitted).cut
        fitted = TextSet(texts.name, tuple(json.loads(into.read_text(encoding="utf-8"))))
        return fitted, np.load(counts, allow_pickle=False).tolist(), cut


def given(folder: Path, texts: TextSet) -> str:
    """The file that has the texts."""
    path = folder / f"{texts.digest}.json"
    if not path.exists():
        path.write_text(json.dumps(texts.texts), encoding="utf-8")
    return str(path)
