"""JSON as Go's encoding/json reads it, with its words for what is wrong.

An Ollama server is a Go program, and its clients see these texts. It reads the first value of a
body and ignores the rest; bytes that aren't UTF-8, and halves of surrogate pairs, become U+FFFD.
"""

import json
import re
from typing import Any, NoReturn

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_DEEPEST = 10_000  # encoding/json's own limit
_TOO_DEEP = "exceeded max depth"
_REREAD = 65_536  # bytes; a longer body isn't read again, which is slow, to say it as Go does
_DIGITS = 20  # of a number of 64 bits, with its sign


class Malformed(ValueError):
    """A body that isn't JSON; the text is Go's."""


def loads(body: bytes) -> Any:
    """The first JSON value of a body. Raises Malformed, with "EOF" where there is nothing."""
    text = body.decode("utf-8", "replace")
    start = _skip(text, 0)
    if start == len(text):
        raise Malformed("EOF")
    try:
        value, _ = _DECODER.raw_decode(text, start)
        return _paired(value) if _SURROGATE.search(text) else value
    except RecursionError:
        raise Malformed(_TOO_DEEP) from None
    except ValueError as error:
        raise Malformed(_reason(body) if len(body) < _REREAD else str(error)) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _whole(digits: str) -> int | float:
    """A whole number; beyond 64 bits a float, which is what Go makes of numbers."""
    number = int(digits) if len(digits) <= _DIGITS else 2**63
    return number if -(2**63) <= number < 2**63 else float(digits)


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_int=_whole)


def _paired(value: Any) -> Any:
    """The value with U+FFFD for halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_paired(item) for item in value]
    if isinstance(value, dict):
        return {_paired(key): _paired(item) for key, item in value.items()}
    return value


def _reason(body: bytes) -> str:
    """What encoding/json says of a body that isn't JSON. It reads bytes, so a character each."""
    try:
        _value(body.decode("latin-1"), 0, 0)
    except Malformed as error:
        return str(error)
    except RecursionError:
        return _TOO_DEEP
    return "unexpected EOF"


def _value(text: str, at: int, depth: int) -> int:
    """Where the value that begins at `at` ends. Raises Malformed."""
    if depth > _DEEPEST:
        raise Malformed(_TOO_DEEP)
    at = _skip(text, at)
    first = _at(text, at)
    if first == "{":
        return _object(text, at + 1, depth)
    if first == "[":
        return _array(text, at + 1, depth)
    if first == '"':
        return _string(text, at)
    for literal in ("true", "false", "null"):
        if first == literal[0]:
            return _literal(text, at, literal)
    if first == "-" or (first.isascii() and first.isdigit()):
        return _number(text, at)
    return _refuse(text, at, "looking for beginning of value")


def _object(text: str, at: int, depth: int) -> int:
    at = _skip(text, at)
    if _at(text, at) == "}":
        return at + 1
    while True:
        at = _skip(text, at)
        if _at(text, at) != '"':
            _refuse(text, at, "looking for beginning of object key string")
        at = _skip(text, _string(text, at))
        if _at(text, at) != ":":
            _refuse(text, at, "after object key")
        at = _skip(text, _value(text, at + 1, depth + 1))
        if _at(text, at) == "}":
            return at + 1
        if text[at] != ",":
            _refuse(text, at, "after object key:value pair")
        at += 1


def _array(text: str, at: int, depth: int) -> int:
    at = _skip(text, at)
    if _at(text, at) == "]":
        return at + 1
    while True:
        at = _skip(text, _value(text, at, depth + 1))
        if _at(text, at) == "]":
            return at + 1
        if text[at] != ",":
            _refuse(text, at, "after array element")
        at += 1


def _string(text: str, at: int) -> int:
    found = _STRING.match(text, at)
    end = found.end() if found else at + 1
    if _at(text, end) == '"':
        return end + 1
    if text[end] != "\\":
        _refuse(text, end, "in string literal")
    if _at(text, end + 1) != "u":
        _refuse(text, end + 1, "in string escape code")
    while _at(text, end + 2) in "0123456789abcdefABCDEF":
        end += 1
    return _refuse(text, end + 2, "in \\u hexadecimal character escape")


def _literal(text: str, at: int, literal: str) -> int:
    for offset, expected in enumerate(literal):
        if _at(text, at + offset) != expected:
            _refuse(text, at + offset, f"in literal {literal} (expecting '{expected}')")
    return at + len(literal)


def _number(text: str, at: int) -> int:
    found = _NUMBER.match(text, at)
    if found is None:
        return _refuse(text, at + 1, "in numeric literal")
    following = text[found.end() : found.end() + 1]
    if following == "." and "." not in found.group():
        _refuse(text, found.end() + 1, "after decimal point in numeric literal")
    if following in ("e", "E"):
        sign = text[found.end() + 1 : found.end() + 2] in ("+", "-")
        _refuse(text, found.end() + 1 + sign, "in exponent of numeric literal")
    return found.end()


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _at(text: str, at: int) -> str:
    if at >= len(text):
        raise Malformed("unexpected EOF")
    return text[at]


def _refuse(text: str, at: int, where: str) -> NoReturn:
    raise Malformed(f"invalid character {_quoted(_at(text, at))} {where}")


def _quoted(character: str) -> str:
    """A character as Go's quoteChar writes it."""
    if character == "'":
        return r"'\''"
    if character == '"':
        return "'\"'"
    escape = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", "\a": r"\a", "\b": r"\b"}
    if character in escape:
        return f"'{escape[character]}'"
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"'\\x{code:02x}'"
    return f"'{character}'" if code < 0x7F or code > 0xA0 else f"'\\u{code:04x}'"
