"""Guesses East Asian encodings by the characters that each would give.

Nearly any bytes decode in several of them. The right one gives the most frequent characters of
its language, and characters of the first level of its standard (the frequent half), side by side.
"""

from typing import Final

_FREQUENT: Final = {
    "gb18030": "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子",
    "big5hkscs": "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子",
    "cp932": "のにはをたがでてとしれさいるあなっかもこらりんまよすきくだ日本人一",
    "euc_jp": "のにはをたがでてとしれさいるあなっかもこらりんまよすきくだ日本人一",
    "cp949": "이다는의에을를가고한은하기지로사도인서리자대시어나있그해들",
}
_FIRST_LEVEL: Final = {
    "gb18030": ((0xB0, 0xD7),),
    "big5hkscs": ((0xA4, 0xC6),),
    "cp932": ((0x82, 0x83), (0x88, 0x97)),
    "euc_jp": ((0xA4, 0xA5), (0xB0, 0xCF)),
    "cp949": ((0xB0, 0xC8),),
}
_SAMPLE: Final = 20_000


def guess_cjk(data: bytes) -> tuple[str, ...]:
    """The likely encodings of `data`, best first; none if it doesn't look East Asian."""
    sample = data[:_SAMPLE]
    scores = {encoding: _score(sample, encoding) for encoding in _FREQUENT}
    likely = [encoding for encoding, score in scores.items() if score >= 0.5]
    return tuple(sorted(likely, key=lambda encoding: -scores[encoding]))


def _score(sample: bytes, encoding: str) -> float:
    """Share of first-level characters plus share of frequent ones; 0 if they stand alone.

    Single East Asian characters between Latin letters are the accents and typographic quotes
    of a single-byte encoding, misread.
    """
    text = sample.decode(encoding, "replace")
    foreign = [place for place, character in enumerate(text) if ord(character) > 0x7F]
    if not foreign:
        return 0.0
    together = sum(text[place + 1 : place + 2] > "\x7f" for place in foreign)
    if together * 2 < len(foreign) - 1 or text.count("\ufffd") > 1 + len(foreign) // 100:
        return 0.0
    frequent = sum(text[place] in _FREQUENT[encoding] for place in foreign)
    first = sum(_is_first_level(text[place], encoding) for place in foreign)
    return (first + frequent) / len(foreign)


def _is_first_level(character: str, encoding: str) -> bool:
    code = character.encode(encoding, "replace")
    return len(code) == 2 and any(low <= code[0] <= high for low, high in _FIRST_LEVEL[encoding])
