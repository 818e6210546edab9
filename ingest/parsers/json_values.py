"""JSON and JSON Lines: a line a value, named by its path; a page a record."""

import json
from collections.abc import Iterator
from typing import Any

from ingest.parsers.blocks import Block, Section, assemble_sections
from ingest.parsers.detection import RawFile
from ingest.parsers.encoding import decode
from ingest.parsers.plain import parse_plain
from ingest.types import Parsed, ParseLimits


def parse_json(file: RawFile, limits: ParseLimits) -> Parsed:
    """The values of a JSON file as "path: value"; what isn't JSON is read as plain text."""
    text = decode(file.data, file.name, file.charset).removeprefix("\ufeff")
    try:
        records = _records(text)
    except ValueError as error:
        plain = parse_plain(file, limits)
        warning = f"{file.name} isn't JSON ({error}), and was read as plain text."
        return Parsed(plain.text, file.kind.value, warnings=(warning,))
    sections = (Section(f"record {n}", _lines(one)) for n, one in enumerate(records, start=1))
    text, _, pages = assemble_sections(sections)
    return Parsed(text, file.kind.value, pages=pages if len(pages) > 1 else ())


def _records(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line) for line in lines]
    return value if isinstance(value, list) else [value]


def _lines(value: Any) -> Iterator[Block]:
    for path, leaf in _leaves(value, ""):
        yield Block(f"{path}: {leaf}" if path else leaf, tight=True)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each scalar with its path; a list of scalars is one of them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(one, (dict, list)) for one in value):
        for at, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{at}]")
    elif isinstance(value, list):
        yield path, ", ".join(map(_shown, value))
    elif value is not None:
        yield path, _shown(value)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
