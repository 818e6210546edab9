"""A named way to retrieve, as a run of an evaluation is made with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluation.errors import ConfigurationError
from ingest import parsers
from retrieval.fusion import Fusion
from retrieval.types import Chunking, KnowledgeBase, KnowledgeBaseSettings, Mode


@dataclass(frozen=True, slots=True)
class Configuration:
    """What may differ between two runs over the same set.

    `tokens` and `overlap` are those of chunks; `whole` takes the beginning of each document, as
    much as the model reads, for its only vector, as the figures of BEIR are made. `weight` is the
    dense leg's, by default calibrated.
    """

    name: str
    mode: Mode = Mode.HYBRID
    fusion: Fusion = Fusion.BACKGROUND
    weight: float | None = None
    model: str = "all-MiniLM-L6-v2"
    tokens: int = Chunking().tokens
    overlap: int = Chunking().overlap
    whole: bool = False

    @classmethod
    def of(cls, kb: KnowledgeBase) -> "Configuration":
        """The one that a knowledge base is searched with."""
        cut = Chunking.from_fingerprint(kb.generation.chunker)
        return cls(
            "hybrid",
            fusion=kb.settings.fusion,
            weight=kb.settings.dense_weight,
            model=kb.generation.model.name,
            tokens=cut.tokens,
            overlap=cut.overlap,
        )

    @classmethod
    def parse(cls, text: str, base: "Configuration") -> "Configuration":
        """That of `NAME: key=value, key=value`; what isn't said is as in `base`.

        A mode alone is the run of that name and mode. Raises ConfigurationError.
        """
        name, colon, rest = text.partition(":")
        if not colon:
            rest = f"mode={text.strip()}"
            if text.strip() not in set(Mode):
                raise ConfigurationError(
                    f"The run {text!r} is neither {', '.join(Mode)} nor `NAME: key=value, ...`."
                )
        given = [part.strip() for part in rest.split(",") if part.strip()]
        values: dict[str, Any] = {}
        for part in given:
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals or key not in _READ:
                raise ConfigurationError(
                    f"{part!r} in the run {text!r} isn't one of {', '.join(_READ)} with a value."
                )
            if key in values:
                raise ConfigurationError(f"The run {text!r} says {key!r} twice.")
            try:
                values[key] = _READ[key](value)
            except ValueError as error:
                raise ConfigurationError(f"{part!r} in the run {text!r}: {error}.") from error
        if values.get("tokens"):
            values.setdefault("overlap", min(base.overlap, values["tokens"] // 2))
        made = replace(base, name=name.strip() or text, **values)
        if made.whole and made.mode is not Mode.DENSE:
            raise ConfigurationError(f"{text!r}: whole documents are for mode=dense alone.")
        return made

    @property
    def settings(self) -> KnowledgeBaseSettings:
        """Those of the knowledge base that it is made with."""
        return KnowledgeBaseSettings(Chunking(self.tokens, self.overlap), self.fusion, self.weight)

    @property
    def index(self) -> tuple[object, ...]:
        """What two runs have in common that can use the same index."""
        return (self.model, self.settings.chunking.fingerprint, parsers.FINGERPRINT)


def check_names(configurations: Sequence[Configuration]) -> None:
    """Raises ConfigurationError where two have one name."""
    names = [one.name for one in configurations]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"Runs need names of their own; these are {', '.join(names)}.")


def _share(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise ValueError("it lies within 0 and 1")
    return value


def _filled(text: str) -> str:
    if not text:
        raise ValueError("it is empty")
    return text


def _flag(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("say yes or no")
    return text == "yes"


_READ: Mapping[str, Callable[[str], Any]] = {
    "mode": Mode,
    "fusion": Fusion,
    "weight": _share,
    "model": _filled,
    "tokens": int,
    "overlap": int,
    "whole": _flag,
}
