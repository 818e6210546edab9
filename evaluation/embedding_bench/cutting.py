"""Texts as every model of a run can read them: cut to the windows, and counted in tokens."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evaluation.embedding_bench.child import Child
from evaluation.embedding_bench.figures import Texts
from evaluation.embedding_bench.local import Cutter
from evaluation.embedding_bench.messages import Recipe
from evaluation.embedding_bench.texts import TextSet
from evaluation.errors import TargetFailed


@dataclass(frozen=True, slots=True)
class Counted:
    """A set as it is embedded, with the tokens of each text; none where nothing could count."""

    texts: TextSet
    lengths: tuple[int, ...]
    cut: int

    @property
    def figures(self) -> Texts:
        lengths = self.lengths
        return Texts(
            name=self.texts.name,
            count=len(self.texts.texts),
            tokens=sum(lengths) if lengths else None,
            shortest=min(lengths, default=None),
            longest=max(lengths, default=None),
            cut=self.cut,
        )


class Cutters:
    """A tokenizer for each model, opened when it is first needed; `note` says which can't be."""

    def __init__(self, start: Callable[[], Child], recipe: Recipe, folder: Path) -> None:
        self._start, self._recipe, self._folder = start, recipe, folder
        self._children: list[Child] = []
        self._cutters: dict[str, Cutter | None] = {}
        self.notes: list[str] = []

    def of(self, model: str) -> Cutter | None:
        if model not in self._cutters:
            child = self._start()
            self._children.append(child)
            cutter = Cutter(model, self._recipe, child, self._folder)
            try:
                cutter.cut(TextSet("none", ()))  # opens it
                self._cutters[model] = cutter
            except TargetFailed:  # the model's targets will tell why
                self._cutters[model] = None
                self.notes.append(f"Texts aren't cut to the window of {model}: it isn't loaded.")
        return self._cutters[model]

    def count(self, sets: Sequence[TextSet], models: Sequence[str]) -> list[Counted]:
        """The sets as they fit the windows of all models, counted by the first that can."""
        cutters = [found for model in models if (found := self.of(model))]
        counted = []
        for texts in sets:
            fitted, cut = texts, 0
            for cutter in cutters:
                fitted, _, more = cutter.cut(fitted)
                cut += more
            lengths = cutters[0].cut(fitted)[1] if cutters else []
            counted.append(Counted(fitted, tuple(lengths), cut))
        return counted

    def whole(self, texts: Sequence[str], model: str, prefix: str) -> list[str]:
        """Texts as far as a model reads them, its prefix before each."""
        cutter = self.of(model)
        fitted = cutter.cut(TextSet("whole", tuple(texts)), prefix)[0].texts if cutter else texts
        return [prefix + text for text in fitted]

    def close(self) -> None:
        for child in self._children:
            child.close()


@contextmanager
def cutting(start: Callable[[], Child], recipe: Recipe, folder: Path) -> Iterator[Cutters]:
    """Cutters whose processes end with the block."""
    cutters = Cutters(start, recipe, folder)
    try:
        yield cutters
    finally:
        cutters.close()
