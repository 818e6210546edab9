"""Where long words may break: a soft hyphen at each place that a hyphen marks in the list."""

import re
from collections.abc import Mapping
from pathlib import Path

SOFT_HYPHEN = "\u00ad"


def read_hyphenation(path: Path) -> dict[str, str]:
    """Words to the same words with soft hyphens, from a file of lines such as `lab-ora-tory`."""
    words = path.read_text(encoding="utf-8").split()
    return {word.replace("-", ""): word.replace("-", SOFT_HYPHEN) for word in words}


def hyphenate(text: str, words: Mapping[str, str]) -> str:
    """The text with soft hyphens in the words that the list knows; nothing else changes."""

    def known(match: re.Match[str]) -> str:
        word = match[0]
        broken = words.get(word.lower(), word)
        return word[0] + broken[1:]

    return re.sub(r"[A-Za-z]{6,}", known, text)
