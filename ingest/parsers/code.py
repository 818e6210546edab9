"""Source code: kept line by line; a page is some lines, so that a citation tells which."""

import re
from typing import Final

from ingest.parsers.characters import canonical
from ingest.parsers.detection import RawFile
from ingest.parsers.encoding import decode
from ingest.types import Parsed, ParseLimits
from retrieval.types import Page

_LINES: Final = 20  # of a page
_LINE_END: Final = re.compile("\r\n|[\r\n]")  # what an editor counts lines by


def parse_code(file: RawFile, _limits: ParseLimits) -> Parsed:
    """The text with its lines numbered by its pages."""
    source = _LINE_END.split(decode(file.data, file.name, file.charset))
    text = "\n".join(canonical(line).replace("\n", " ") for line in source).rstrip()
    lines = text.splitlines(keepends=True)
    pages: list[Page] = []
    start = 0
    for at in range(0, len(lines), _LINES):
        part = lines[at : at + _LINES]
        end = start + sum(map(len, part))
        pages.append(Page(len(pages) + 1, start, end, f"lines {at + 1} to {at + len(part)}"))
        start = end
    return Parsed(text, file.kind.value, pages=tuple(pages))
