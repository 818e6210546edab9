"""Which models are loaded, and until when: `keep_alive` and `ps`."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from api.wire.models import Card

DEFAULT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Resident:
    """A loaded model; `expires_at` in seconds since 1970, infinite where it stays."""

    card: Card
    expires_at: float


class Residence:
    """Keeps account of loaded models. A length of stay holds until another is given."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._stays: dict[str, tuple[Card, float, float]] = {}

    def use(self, card: Card, keep_alive: float | None) -> None:
        """A model is used: it stays for `keep_alive` seconds more, or as long as before."""
        known = self._current(card.name.key)
        seconds = keep_alive if keep_alive is not None else (known or DEFAULT_SECONDS)
        if seconds == 0:
            self._stays.pop(card.name.key, None)
        else:
            self._stays[card.name.key] = (card, seconds, self._clock() + seconds)

    def residents(self) -> list[Resident]:
        """The loaded models, the last used first."""
        now = self._clock()
        stays = [stay for stay in self._stays.values() if stay[2] > now]
        return [Resident(card, end) for card, _, end in sorted(stays, key=lambda s: -s[2])]

    def _current(self, key: str) -> float | None:
        _, seconds, end = self._stays.get(key, (None, None, -math.inf))
        return seconds if end > self._clock() else None
