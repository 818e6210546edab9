"""The characters of a PDF page as pdfium numbers them, and their canonical spelling."""

import ctypes
import re
import unicodedata
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.parsers.characters import SPELLINGS

_VAGUE: Final = re.compile("[\0\ufffe]")  # hyphens and glyphs without a code alike
_SPELLINGS: Final = {**SPELLINGS, ord("\t"): " "}


def read_characters(text: pypdfium2.PdfTextPage) -> str:
    """The characters of a page, one for each that pdfium counts, surrogates included.

    A glyph for which the font gives no code is U+FFFD: something stands there.
    """
    count = text.count_chars()
    found = _at_once(text, count)
    if len(found) != count:  # some have no code there, or two
        return "".join(_character(text, place) for place in range(count))
    return _VAGUE.sub(lambda match: _character(text, match.start()), found)


def _character(text: pypdfium2.PdfTextPage, place: int) -> str:
    code = pdfium.FPDFText_GetUnicode(text, place)
    return chr(code) if 0 < code < 0x110000 else "\ufffd"


def _at_once(text: pypdfium2.PdfTextPage, count: int) -> str:
    """The characters of a page in one call: one for each would take longer than all the rest."""
    codes = (ctypes.c_ushort * (max(count, 0) + 1))()
    written = pdfium.FPDFText_GetText(text, 0, count, codes)
    return bytes(codes)[: 2 * (written - 1)].decode("utf-16-le", "surrogatepass")


def canonical_run(raw: str, start: int, end: int) -> tuple[str, list[int]]:
    """`raw[start:end]` in canonical characters with single spaces, and the number of each."""
    run = raw[start:end]
    if run.isascii() and run.isprintable() and "  " not in run:
        kept = run.strip(" ")
        first = start + len(run) - len(run.lstrip(" "))
        return kept, list(range(first, first + len(kept)))
    letters: list[str] = []
    sources: list[int] = []
    for place, character in enumerate(_paired(run), start):
        plain = " " <= character <= "~" or len(character) != 1
        for letter in character if plain else _SPELLINGS.get(ord(character), character):
            if letter == " " and (not letters or letters[-1] == " "):
                continue
            if letters and unicodedata.combining(letter):
                composed = unicodedata.normalize("NFC", letters[-1] + letter)
                if len(composed) == 1:
                    letters[-1] = composed
                    continue
            letters.append(letter)
            sources.append(place)
    if letters and letters[-1] == " ":
        del letters[-1], sources[-1]
    return "".join(letters), sources


def _paired(raw: str) -> list[str]:
    """The characters of `raw`, each at its place; a pair of surrogates is one, at the first."""
    characters = list(raw)
    for place in range(len(raw) - 1):
        if "\ud800" <= raw[place] < "\udc00" <= raw[place + 1] < "\ue000":
            pair = raw[place : place + 2].encode("utf-16-le", "surrogatepass")
            characters[place : place + 2] = pair.decode("utf-16-le"), ""
    return characters
