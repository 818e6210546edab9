"""Text that Postgres refuses, kept nevertheless: U+0000 in a name or in metadata.

It is written as two noncharacters, U+FDD0 U+FDD0, and a U+FDD0 itself as U+FDD0 U+FDD1; Unicode
keeps those for such uses. Canonical text has neither, so no offset moves.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown, TextLoader

_MARK, _ITSELF = "\ufdd0", "\ufdd1"
_MARKED = re.compile(f"{_MARK}([{_MARK}{_ITSELF}])")
_MARKED_JSON = ("\\u0000", "\\ufdd0")


def escaped(text: str) -> str:
    """The text as Postgres takes it."""
    if "\0" in text or _MARK in text:
        return text.replace(_MARK, _MARK + _ITSELF).replace("\0", _MARK + _MARK)
    return text


def unescaped(text: str) -> str:
    """The text that was escaped."""
    if _MARK not in text:
        return text
    return _MARKED.sub(lambda found: "\0" if found[1] == _MARK else _MARK, text)


def to_json(value: Any) -> str:
    """JSON whose texts Postgres can look into."""
    written = json.dumps(value)
    if any(mark in written for mark in _MARKED_JSON):
        return json.dumps(_each(value, escaped))
    return written


def from_json(written: str | bytes) -> Any:
    """The value of JSON that `to_json` wrote."""
    value = json.loads(written)
    text = written if isinstance(written, str) else written.decode()
    return _each(value, unescaped) if _MARKED_JSON[1] in text else value


def register(connection: "Connection[Any]") -> None:
    """Escape every text that a connection writes, and unescape what it reads."""
    connection.adapters.register_dumper(str, _Dumper)
    for kind in ("text", "varchar"):
        connection.adapters.register_loader(kind, _Loader)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _each(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_each(one, change) for one in value]
    return value


class _Dumper(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(escaped(obj))


class _Loader(TextLoader):
    def load(self, data: Buffer) -> str:
        return unescaped(str(data, "utf-8"))
