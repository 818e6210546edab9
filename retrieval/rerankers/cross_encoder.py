"""A cross-encoder of sentence-transformers, by name or path, in this process."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrieval import hub
from retrieval.errors import ModelUnavailable

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_LONGEST = 512  # tokens of a pair, where the model doesn't say


class CrossEncoderReranker:
    """Scores of passages, the higher the better. One call at a time runs; others wait.

    A pair that exceeds the model's window isn't cut: the passage is read in halves of halves, and
    its best part counts (MaxP: Dai, Callan, "Deeper Text Understanding for IR with Contextual
    Neural Language Modeling", SIGIR 2019).
    """

    batch = 16

    def __init__(self, model: str, device: str = "", download: bool = False) -> None:
        """Load a model; `device` and `download` as for an embedding model. Raises
        ModelUnavailable.
        """
        self.name = model
        self._model = _load(model, device, download)
        self._window = self._model.get_max_seq_length() or _LONGEST
        self._turn = threading.Lock()

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        with self._turn:
            parts = [
                (at, part) for at, text in enumerate(texts) for part in self._parts(query, text)
            ]
            found = self._model.predict(
                [(query, part) for _, part in parts],
                batch_size=self.batch,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        best = [-float("inf")] * len(texts)
        for (at, _), score in zip(parts, found.tolist(), strict=True):
            best[at] = max(best[at], score)
        return best

    def close(self) -> None:
        """The model goes with this object."""

    def _parts(self, query: str, text: str) -> list[str]:
        encoded = self._model.tokenizer(query, text, add_special_tokens=True, verbose=False)
        if len(encoded["input_ids"]) <= self._window or len(text) < 2:
            return [text]
        space = text.find(" ", len(text) // 2)
        middle = space if 0 <= space < len(text) * 3 // 4 else len(text) // 2
        return self._parts(query, text[:middle]) + self._parts(query, text[middle:])


def _load(model: str, device: str, download: bool) -> "CrossEncoder":
    hub.prepare(download=download)
    from sentence_transformers import CrossEncoder  # heavy: about five seconds

    loaded: CrossEncoder = hub.load(
        CrossEncoder, "reranker", "cross-encoder", model, device, download=download
    )
    if loaded.num_labels != 1:
        raise ModelUnavailable(
            f"The model {model!r} has {loaded.num_labels} outputs; a reranker has one score."
        )
    return loaded
