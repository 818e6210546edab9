"""A transformer's forward pass as one call that needs no interpreter.

Eager PyTorch comes back to Python after each of some hundred operations, and waits there for
whatever else runs in it: beside one busy Python thread a batch took 3.3 times as long, traced 1.1
times, on two cores of an AMD EPYC with all-MiniLM-L6-v2.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
import torch
from transformers.utils import logging as transformers_logging

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_log = structlog.get_logger()

_SAME = 1e-5  # how far a number may be from what the model itself gives

# Batches of several shapes, padded and not: what a trace took for constant shows in one of them.
_TRIALS = (
    ["One short text.", "Another one that is a good deal longer than the first of them is."],
    ["word " * 60],
    ["a", "b c", "d e f", "g " * 30, "退货政策"],
)


def traced(model: "SentenceTransformer") -> "SentenceTransformer":
    """The model with its transformer's forward pass traced, where that gives the same numbers."""
    transformer: Any = getattr(model[0], "model", None)
    if transformer is None:
        return model  # no transformer, as in a table of vectors by token
    eager = transformer.forward
    try:
        trials = [_tensors(model, texts) for texts in _TRIALS]
        expected = [_pass(transformer, tensors) for tensors in trials]
        transformer.forward = _trace(transformer, trials[0])
        found = [_pass(transformer, tensors) for tensors in trials]
    except Exception as error:  # noqa: BLE001 - whatever keeps a model from being traced
        reason = str(error).partition("\n")[0]
    else:
        if all(map(_is_same, expected, found)):
            return model
        reason = "its trace gives other numbers"
    transformer.forward = eager
    _log.info("model_runs_untraced", reason=reason)
    return model


def _tensors(model: "SentenceTransformer", texts: list[str]) -> dict[str, torch.Tensor]:
    features = model.preprocess(texts)
    return {name: value for name, value in features.items() if isinstance(value, torch.Tensor)}


def _pass(transformer: Any, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    with torch.inference_mode():
        states: torch.Tensor = transformer.forward(**tensors, return_dict=True)["last_hidden_state"]
    return states


def _is_same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, atol=_SAME)


class _Positional(torch.nn.Module):
    """The forward pass with its inputs in a fixed order, as a trace wants them."""

    def __init__(self, transformer: Any, names: tuple[str, ...]) -> None:
        super().__init__()
        self._transformer = transformer
        self._names = names

    def forward(self, *tensors: torch.Tensor) -> Any:
        given = dict(zip(self._names, tensors, strict=True))
        return self._transformer(**given, return_dict=True)["last_hidden_state"]


def _trace(transformer: Any, example: Mapping[str, torch.Tensor]) -> Any:
    names = tuple(example)
    with quiet(), torch.no_grad():
        run = torch.jit.trace(  # type: ignore[no-untyped-call]
            _Positional(transformer, names), tuple(example.values()), check_trace=False
        )

    def forward(**given: Any) -> dict[str, torch.Tensor]:
        return {"last_hidden_state": run(*(given[name] for name in names))}

    return forward


@contextmanager
def quiet() -> Iterator[None]:
    """Without what is said of every trace: that it holds for its shapes only (see `_TRIALS`).

    What a converter does to the root logger meanwhile, its level included, is undone.
    """
    root, sentences = logging.getLogger(), logging.getLogger("sentence_transformers")
    before = root.level, root.handlers[:], root.filters[:], sentences.level
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    sentences.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        level, root.handlers[:], root.filters[:], of_sentences = before
        root.setLevel(level)
        sentences.setLevel(of_sentences)
