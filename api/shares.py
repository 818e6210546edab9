"""Room that requests take while they last, of which no key's holder takes all."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from retrieval import access
from retrieval.errors import Overloaded


class Room:
    """So much of something. Of one event loop.

    The holder of a key takes no more than stays free: alone half of it, of two of them a third
    each. Those without a key are one holder. Where there are no keys, whoever asks may take all.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How much of it is held now."""
        return self._held.total()

    @contextmanager
    def share(self) -> Iterator[Callable[[int], bool]]:
        """A way to take some of it, or be told that there is none; given back with the block."""
        principal = access.asking() or access.ANYBODY
        holder, sparing = principal.key_id, principal != access.ANYBODY
        mine = 0

        def take(amount: int) -> bool:
            nonlocal mine
            after = self._held[holder] + amount
            if self.taken + amount + (after if sparing else 0) > self._size:
                return False
            self._held[holder] = after
            mine += amount
            return True

        try:
            yield take
        finally:
            self._held[holder] -= mine
            if not self._held[holder]:
                del self._held[holder]

    @contextmanager
    def place(self, refusal: str) -> Iterator[None]:
        """One place, until the block ends. Raises Overloaded, with the refusal."""
        with self.share() as take:
            if not take(1):
                raise Overloaded(refusal)
            yield
