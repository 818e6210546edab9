"""Bytes to text, whatever the encoding.

In order: a byte order mark, UTF-16 without one, ISO-2022 by its escapes, UTF-8 where the bytes
are valid (other encodings hardly ever are), the encoding that the file or its server declares,
an East Asian encoding by the characters it would give, and a single-byte encoding by
charset-normalizer.
"""

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

from ingest.errors import DamagedDocument, UnsupportedMedia
from ingest.parsers.cjk_encoding import guess_cjk

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SUPERSETS: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
}
"""What browsers read a declared encoding as (WHATWG Encoding Standard, names and labels)."""

_CHARSETS: Final = re.compile(
    "utf-(8|16|32)|ascii|iso8859|cp|koi8|mac|gb|hz|big5|euc|shift|iso2022"
)
"""Python's codecs that are charsets; others ("unicode_escape", "rot13") are no page's encoding."""

_META: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*+=\s*+[\"']?\s*+([\w.:-]+)", re.IGNORECASE)
_XML: Final = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_SAMPLE: Final = 65_536


def declared_in(html: bytes) -> str | None:
    """The encoding that an HTML page itself declares near its start."""
    found = _META.search(html, 0, 4096) or _XML.search(html, 0, 4096)
    return found[1].decode("ascii", "replace") if found else None


def decode(data: bytes, name: str, declared: str | None = None) -> str:
    """The text of `data`, without a byte order mark.

    Raises UnsupportedMedia where the bytes are no text in any encoding, and DamagedDocument
    where a byte order mark promises an encoding that they break.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _marked(data[len(mark) :], encoding, name)
    if b"\0" in data:
        return _wide(data, name)
    for candidate in (*_escaped(data), "utf-8", *_superset(declared), *guess_cjk(data)):
        text = _strict(data, candidate)
        if text is not None:
            return text
    return _single_byte(data, name)


def _marked(data: bytes, encoding: str, name: str) -> str:
    """Text after a byte order mark; a few broken characters are replaced, many are refused."""
    text = _strict(data, encoding)
    if text is None:
        text = data.decode(encoding, "replace")
    if text.count("\ufffd") > 1 + len(text) // 20:
        raise DamagedDocument(f"{name} is marked as {encoding}, but isn't: save it as UTF-8.")
    return text


def _wide(data: bytes, name: str) -> str:
    """UTF-16 or UTF-32 without a mark: spaces, digits and line ends put zeros on one side."""
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        text = _strict(data, encoding)
        if text is not None and "\0" not in text and _readable(text):
            return text
    raise UnsupportedMedia(f"{name} holds binary data, not text: no parser reads it.")


def _readable(text: str) -> bool:
    """Whether decoded text is mostly letters, marks and spaces of scripts in common use."""
    sample = text[:_SAMPLE]
    odd = sum(
        not (character.isprintable() or character in "\t\n\r\f\ufeff") for character in sample
    )
    common = sum(_common(character) for character in sample)
    return odd * 20 <= len(sample) and common * 10 >= len(sample) * 9


def _common(character: str) -> bool:
    code = ord(character)
    return code < 0x0800 or 0x2000 <= code < 0x2070 or 0x3000 <= code < 0xD7B0 or code >= 0xFE30


def _escaped(data: bytes) -> tuple[str, ...]:
    """ISO-2022-JP, if its escape sequences are there."""
    return ("iso2022_jp_2",) if b"\x1b$" in data else ()


def _superset(declared: str | None) -> tuple[str, ...]:
    """The Python codec for a declared encoding, as browsers understand it; none if unknown."""
    try:
        codec = codecs.lookup((declared or "").strip().lower().replace("x-", ""))
    except (LookupError, ValueError):
        return ()
    return (_SUPERSETS.get(codec.name, codec.name),) if _CHARSETS.match(codec.name) else ()


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None


def _single_byte(data: bytes, name: str) -> str:
    """The best single-byte reading; binary data, which is full of control bytes, is refused."""
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in data[:_SAMPLE])
    if controls * 50 > min(len(data), _SAMPLE):
        raise UnsupportedMedia(f"{name} holds binary data, not text: no parser reads it.")
    best = from_bytes(data[:_SAMPLE]).best()
    encoding = best.encoding if best else "cp1252"
    return data.decode(encoding, "replace")
