"""What stands in a knowledge base, by those who write in it: what others may be told of it."""

from time import perf_counter
from typing import Protocol


class Passage(Protocol):
    """A part of a document, as the server tells it."""

    @property
    def uri(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def said(self) -> str: ...


class Ledger:
    """Every text that was ever sent, and since when it can't be seen any more."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, float | None]] = {}

    def write(self, uri: str, text: str) -> None:
        """From now on the document may have this text."""
        self._texts.setdefault(uri, {})[text] = None

    def forget(self, uri: str, but: str = "") -> None:
        """From now on it has no other text than this, or none at all."""
        for text, gone in self._texts.get(uri, {}).items():
            if text != but and gone is None:
                self._texts[uri][text] = perf_counter()

    def untruth(self, passage: Passage, began: float) -> str | None:
        """What is wrong with a passage that a request was told which began at that moment; None
        where it stood there at that moment or since.
        """
        texts = self._texts.get(passage.uri)
        if texts is None:
            return f"{passage.uri} was never sent"
        same = [
            gone
            for text, gone in texts.items()
            if text[passage.start : passage.end] == passage.said
        ]
        if not same or passage.start >= passage.end:
            return f"{passage.uri} never said this from {passage.start} to {passage.end}"
        gone = [moment for moment in same if moment is not None]
        if len(gone) == len(same) and max(gone) < began:
            since = began - max(gone)
            return f"{passage.uri} was deleted, or said otherwise, {since:.3f} s before"
        return None
