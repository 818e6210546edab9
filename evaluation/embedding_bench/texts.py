"""Texts to embed: real ones, of lengths as they come in use, the same for the same seed."""

import hashlib
import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sample_docs
from evaluation.errors import DatasetError
from evaluation.lines import numbered_lines
from evaluation.questions import read_questions
from evaluation.test_set import TestSet
from ingest.parsers import parse

_SUFFIXES = (".docx", ".html", ".md", ".pdf", ".txt")
_SHORT = (4, 16)  # words of a question
_CHUNK = (128, 172)  # words: about 150 to 230 tokens by the tokenizer of all-MiniLM-L6-v2
_MIXED = (8, 230)
_TRIES = 20

Length = Callable[[random.Random], int]
"""Draws a number of words."""


@dataclass(frozen=True, slots=True)
class TextSet:
    """Texts that are embedded together."""

    name: str
    texts: tuple[str, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.texts).encode()).hexdigest()[:24]


BUILT_IN = {"short": 512, "chunks": 64, "mixed": 192}
"""How many there are of each built-in set: a core of 2024 takes some seconds for a round."""


def built_in(name: str, count: int | None, seed: int) -> TextSet:
    """Questions (`short`), passages as they are indexed (`chunks`), or all lengths (`mixed`).

    They are cut out of the English sample documents. Lengths of `mixed` are log-uniform.
    """
    chance = random.Random(f"{name} {seed}")  # noqa: S311 - texts, not secrets
    wanted = count or BUILT_IN[name]
    if name == "short":
        asked = list(_questions())
        chance.shuffle(asked)
        first = asked[:wanted]
        return TextSet(name, (*first, *_passages(wanted - len(first), chance, _uniform(*_SHORT))))
    length = _uniform(*_CHUNK) if name == "chunks" else _log_uniform(*_MIXED)
    return TextSet(name, tuple(_passages(wanted, chance, length)))


def from_file(path: Path, count: int | None, seed: int) -> TextSet:
    """The lines of a file that aren't blank, at most `count` of them. Raises DatasetError."""
    lines = [line.strip() for _, line in numbered_lines(path)]
    found = [line for line in lines if line]
    if not found:
        raise DatasetError(f"{path} has no text: one a line is expected.")
    return TextSet(path.stem, _sampled(found, count or len(found), seed))


def from_set(test_set: TestSet, count: int | None, seed: int) -> tuple[TextSet, TextSet]:
    """Questions of a retrieval set, and documents of it as they are embedded as a whole."""
    asked = list(test_set.questions.values())
    whole = [text for _, text in whole_documents(test_set)]
    if not whole:
        raise DatasetError(f"{test_set.name} has no document with a text.")
    return (
        TextSet("questions", _sampled(asked, count or BUILT_IN["short"], seed)),
        TextSet("documents", _sampled(whole, count or BUILT_IN["chunks"], seed)),
    )


def whole_documents(test_set: TestSet) -> list[tuple[str, str]]:
    """Id, and title and text together, of each document that has a text."""
    return [
        (entry.id, f"{entry.title} {entry.text}".strip())
        for entry in test_set.documents
        if entry.text.strip()
    ]


def _sampled(texts: Sequence[str], count: int, seed: int) -> tuple[str, ...]:
    if count >= len(texts):
        return tuple(texts)
    return tuple(random.Random(seed).sample(texts, count))  # noqa: S311


def _passages(count: int, chance: random.Random, length: Length) -> list[str]:
    """Runs of words from the beginnings of sentences, no two the same while there are others."""
    words, starts = _words()
    found: dict[str, None] = {}
    tries = 0
    while len(found) < count:
        size = length(chance)
        anywhere = tries >= _TRIES
        start = chance.randrange(len(words)) if anywhere else chance.choice(starts)
        start = min(start, len(words) - size)
        text = " ".join(words[start : start + size])
        tries = 0 if text not in found else tries + 1
        if tries > 2 * _TRIES:  # there are no others
            return [*found, *chance.choices(list(found), k=count - len(found))]
        found[text] = None
    return list(found)


def _uniform(low: int, high: int) -> Length:
    return lambda chance: chance.randint(low, high)


def _log_uniform(low: int, high: int) -> Length:
    return lambda chance: round(math.exp(chance.uniform(math.log(low), math.log(high))))


@cache
def _words() -> tuple[list[str], list[int]]:
    """All words of the English documents in their order, and where sentences begin."""
    words: list[str] = []
    for path in sorted(sample_docs.FOLDER.iterdir()):
        if path.name.isascii() and path.suffix in _SUFFIXES:  # the others are Chinese
            words += parse(path.read_bytes(), path.name).text.split()
    ends = [at for at, word in enumerate(words) if word.endswith((".", "?", "!"))]
    return words, [0, *(at + 1 for at in ends[:-1])]


@cache
def _questions() -> tuple[str, ...]:
    asked = (
        one
        for one in read_questions(sample_docs.FOLDER / "questions.jsonl")
        if one.language == "en"
    )
    low, high = _SHORT
    return tuple(one.question for one in asked if low <= len(one.question.split()) <= high)
