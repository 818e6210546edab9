"""Files spoilt on purpose: cut, overwritten, doubled, torn apart; the same for the same seed."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Spoil = Callable[[bytes, random.Random], bytes]


def spoilt(paths: Sequence[Path], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """That many spoilt copies of files, with a name that says how, and keeps its extension."""
    chance = random.Random(seed)  # noqa: S311
    kinds = list(_SPOILS.items())
    for number in range(count):
        path = paths[number % len(paths)]
        how, spoil = kinds[chance.randrange(len(kinds))]
        yield f"{number:04}-{how}-{path.name}", spoil(path.read_bytes(), chance)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randint(0, max(len(data) - 1, 0))]


def _beheaded(data: bytes, chance: random.Random) -> bytes:
    return data[chance.randint(1, max(len(data) // 4, 1)) :]


def _flipped(data: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(1 + len(data) // 2_000 if data else 0):
        spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
    return bytes(spoilt)


def _zeroed(data: bytes, chance: random.Random) -> bytes:
    start, length = _part(data, chance)
    return data[:start] + bytes(length) + data[start + length :]


def _doubled(data: bytes, chance: random.Random) -> bytes:
    start, length = _part(data, chance)
    return data[: start + length] + data[start:]


def _torn(data: bytes, chance: random.Random) -> bytes:
    start, length = _part(data, chance)
    return data[:start] + data[start + length :]


def _noise(data: bytes, chance: random.Random) -> bytes:
    start, length = _part(data, chance)
    return data[:start] + chance.randbytes(length) + data[start + length :]


def _part(data: bytes, chance: random.Random) -> tuple[int, int]:
    """Somewhere in it, a part of up to a quarter."""
    start = chance.randrange(max(len(data), 1))
    return start, min(chance.randint(1, max(len(data) // 4, 1)), len(data) - start)


_SPOILS: dict[str, Spoil] = {
    "cut": _cut,
    "beheaded": _beheaded,
    "flipped": _flipped,
    "zeroed": _zeroed,
    "doubled": _doubled,
    "torn": _torn,
    "noise": _noise,
}
