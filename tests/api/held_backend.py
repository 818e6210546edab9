"""An embedding backend that can be stopped in the middle of a text."""

import threading
from collections.abc import Sequence

from retrieval.embedding.hashing import HashingBackend
from retrieval.types import Vectors


class HeldBackend(HashingBackend):
    """Embeds a text that says "hold" only once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.let_go = threading.Event()

    def vectors(self, texts: Sequence[str]) -> Vectors:
        if any("hold" in text for text in texts):
            self.reached.set()
            assert self.let_go.wait(20)
        return super().vectors(texts)
