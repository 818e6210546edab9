"""Characters of canonical text: what a reader sees, in one spelling.

Canonical text is quoted to people, so compatibility forms that look different (①, full width)
stay as they are. What only disturbs goes: control and invisible characters, ligatures, the
spaces and line ends of other systems. Lone surrogates become U+FFFD, so the text always encodes
to UTF-8. Joiners (U+200C, U+200D) stay: they are spelling in Persian, Hindi and emoji.
"""

import re
import unicodedata
from typing import Final

LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")

_INVISIBLE: Final = (
    *range(0x09),
    *range(0x0E, 0x20),
    *range(0x7F, 0xA0),
    0xAD,  # soft hyphen
    0x200B,
    *range(0x200E, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFDD0, 0xFDF0),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),  # tags: letters that no font shows
    *(plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF)),
)
_SPACES: Final = (0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F)
_LIGATURES: Final = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "ſt",
    0xFB06: "st",
}
_SYMBOL_BULLETS: Final = (0xF06C, 0xF06E, 0xF0A7, 0xF0B7)  # Wingdings and Symbol, private use

SPELLINGS: Final[dict[int, str]] = {
    **dict.fromkeys(_INVISIBLE, ""),
    **dict.fromkeys(_SPACES, " "),
    **_LIGATURES,
    **dict.fromkeys(_SYMBOL_BULLETS, "•"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
"""What each code point that isn't canonical is written as."""

_WIDE: Final = (
    (0x2E80, 0x303F),  # radicals, CJK punctuation
    (0x3040, 0x312F),  # kana, bopomofo
    (0x31A0, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF01, 0xFF60),  # full width forms
    (0x20000, 0x3FFFF),
)


# Joiners and variation selectors, one or two in a row, are spelling; more are a code for bits.
_BITS: Final = re.compile("[\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}")
_TAGS: Final = re.compile(rb"(?:\xf3\xa0[\x80\x81][\x80-\xbf]){4,}")


def canonical(text: str) -> str:
    """`text` in canonical characters, NFC, with "\\n" for every line end."""
    spelled = _BITS.sub("", LINE_ENDS.sub("\n", text).translate(SPELLINGS))
    return unicodedata.normalize("NFC", spelled)


def tagged(data: bytes) -> list[str]:
    """What tag characters of Unicode say in a file of UTF-8: an alphabet that isn't shown. Flags
    are emoji with some.
    """
    found = (each[0].decode() for each in _TAGS.finditer(data))
    said = ("".join(chr(ord(one) - 0xE0000) for one in each) for each in found)
    return [each for each in said if not re.fullmatch("[a-z0-9]{4,6}\x7f", each)]


def tidy(text: str) -> str:
    """Canonical `text` without trailing spaces, outer blank lines or more than one in a row."""
    # No pattern that begins with spaces: it would be tried at each space of a long run of them.
    lines = "\n".join(line.rstrip(" \t") for line in canonical(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def is_wide(character: str) -> bool:
    """Whether a character is of a script written without spaces: Chinese or Japanese."""
    code = ord(character)
    return code >= _WIDE[0][0] and any(first <= code <= last for first, last in _WIDE)


def one_line(text: str) -> str:
    """Canonical `text` on one line, as a browser shows it; wide script joined without a space."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")  # so is nearly every cell of a large table
    line = ""
    for part in re.sub(r"[ \t]+", " ", canonical(text).strip(" \t\n")).split("\n"):
        if stripped := part.strip():
            line += glue(line, stripped) + stripped
    return line


def glue(before: str, after: str) -> str:
    """What stands between two lines of one paragraph when they're joined."""
    if not before or not after or (is_wide(before[-1]) and is_wide(after[0])):
        return ""
    return " "
