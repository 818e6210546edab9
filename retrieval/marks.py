"""A model's answer, sentence by sentence, with the sources that it marks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from retrieval.sentences import sentences

_MARK = re.compile(
    r"\s*[\[【［](?:source\s*)?(\d{1,3}(?:\s*[,，、;-]\s*\d{1,3})*)[\]】］]", re.IGNORECASE
)
_LEADING = re.compile(rf"(?:{_MARK.pattern})+", re.IGNORECASE)
_PARTIAL = re.compile(r"\s*[\[【［][^\]】］]{0,20}$")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence without its marks, the white space around it, and the sources that it names."""

    lead: str
    text: str
    trail: str
    marks: tuple[int, ...]


class Claims:
    """Takes an answer as it comes and gives its sentences as soon as they are whole."""

    def __init__(self) -> None:
        self._rest = ""

    def add(self, text: str) -> list[Claim]:
        """The sentences that are whole now. The last one isn't, until another begins."""
        self._rest += text
        return list(self._whole())

    def end(self) -> list[Claim]:
        """What is left, when nothing more comes."""
        found = [*self._whole(), *([_claim(self._rest)] if self._rest.strip() else [])]
        self._rest = ""
        return found

    def _whole(self) -> Iterator[Claim]:
        while len(spans := sentences(self._rest)) > 1:
            cut = spans[1].start
            # Marks after the full stop belong before it; one that is still coming may be such.
            while leading := _LEADING.match(self._rest, cut):
                cut = leading.end()
            if _PARTIAL.match(self._rest, cut) or not self._rest[cut:].strip():
                return
            cut = len(self._rest) - len(self._rest[cut:].lstrip())
            yield _claim(self._rest[:cut])
            self._rest = self._rest[cut:]


def _claim(text: str) -> Claim:
    marks = [int(number) for found in _MARK.findall(text) for number in re.findall(r"\d+", found)]
    bare = _MARK.sub("", text)
    stripped = bare.strip()
    lead = bare[: len(bare) - len(bare.lstrip())] if stripped else ""
    trail = text[len(text.rstrip()) :]
    return Claim(lead, stripped, trail, tuple(dict.fromkeys(marks)))
