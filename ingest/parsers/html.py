"""HTML: the main text of a page as blocks."""

import re
from collections.abc import Iterator
from typing import Final

from ingest.errors import DamagedDocument
from ingest.parsers.blocks import Block, assemble, row
from ingest.parsers.characters import canonical, one_line
from ingest.parsers.detection import RawFile
from ingest.parsers.encoding import declared_in, decode
from ingest.parsers.hidden import told
from ingest.parsers.html_main import hidden_parts, is_chrome, is_invisible, main_part
from ingest.parsers.markup import Element, MarkupError, Walk, read_html
from ingest.types import Parsed, ParseLimits

_LEVELS: Final = {f"h{level}": level for level in range(1, 7)}
_BLOCKS: Final = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form header hgroup hr html legend li main menu nav ol p pre section "
    "summary table tbody td tfoot th thead tr ul".split()
) | frozenset(_LEVELS)


def parse_html(file: RawFile, _limits: ParseLimits) -> Parsed:
    """The page's main text with its headings; without menus, scripts and what isn't shown.

    Raises DamagedDocument for a page that nests deeper than any real one.
    """
    source = decode(file.data, file.name, file.charset or declared_in(file.data))
    try:
        root = read_html(canonical(source))
    except MarkupError as error:
        raise DamagedDocument(f"{file.name} nests too deeply to be a page: {error}.") from error
    if root is None:
        return Parsed("", file.kind.value)
    text, headings = assemble(page_blocks(root))
    first = next((text[each.start : each.end] for each in headings if each.level == 1), None)
    return Parsed(
        text,
        file.kind.value,
        title=_title(root) or first,
        headings=headings,
        warnings=told(hidden_parts(root)),
    )


def page_blocks(root: Element) -> list[Block]:
    """The blocks of a page's main text; of all of it where nothing else would be left."""
    main = list(_Reader(main_part(root), keep_chrome=False).blocks())
    return main or list(_Reader(root, keep_chrome=True).blocks())


def _title(root: Element) -> str | None:
    element = root.find("head/title")
    return one_line("".join(element.itertext())) or None if element is not None else None


class _Reader:
    """Walks a part of a page once and gives its blocks."""

    def __init__(self, root: Element, *, keep_chrome: bool) -> None:
        self._root = root
        self._keep_chrome = keep_chrome
        self._inline: list[str] = []
        self._cells: list[str] | None = None  # of the open row of a data table
        self._cell: list[str] = []
        self._lists: list[int | None] = []  # the number of the last item; None for bullets
        self._marker = ""
        self._preformatted = 0

    def blocks(self) -> Iterator[Block]:
        """The blocks in the order of the page."""
        walk = Walk(self._root)
        for event, element in walk:
            if event == "start":
                yield from self._enter(element, walk)
            else:
                yield from self._leave(element)
        yield from self._flush()

    def _enter(self, element: Element, walk: Walk) -> Iterator[Block]:
        tag = element.tag
        if self._is_dropped(element):
            walk.skip()
            return
        if tag == "br":
            self._inline.append("\n" if self._preformatted else "\v")
        elif tag in _BLOCKS:
            yield from self._flush()
            self._open(element)
        self._say(element.text)

    def _leave(self, element: Element) -> Iterator[Block]:
        tag = element.tag
        if tag in _BLOCKS and not self._is_dropped(element):
            yield from self._flush(_LEVELS.get(tag, 0))
            yield from self._close(tag)
        if element is not self._root:
            self._say(element.tail)

    def _is_dropped(self, element: Element) -> bool:
        return is_invisible(element) or (not self._keep_chrome and is_chrome(element))

    def _open(self, element: Element) -> None:
        tag = element.tag
        if tag in ("ul", "menu", "dir"):
            self._lists.append(None)
        elif tag == "ol":
            start = element.get("start", "1")
            self._lists.append(int(start) - 1 if re.fullmatch(r"\d{1,6}", start) else 0)
        elif tag == "li":
            self._marker = self._next_marker()
        elif tag == "pre":
            self._preformatted += 1
        elif tag == "tr" and self._cells is None and _is_data(element):
            self._cells = []

    def _close(self, tag: str) -> Iterator[Block]:
        if tag in ("ul", "menu", "dir", "ol") and self._lists:
            self._lists.pop()
        elif tag == "li":
            self._marker = ""
        elif tag == "pre":
            self._preformatted -= 1
        elif tag in ("td", "th") and self._cells is not None:
            self._cells.append(" ".join(self._cell))
            self._cell.clear()
        elif tag == "tr" and self._cells is not None:
            cells, self._cells = self._cells, None
            yield row(cells)

    def _next_marker(self) -> str:
        indent = "  " * max(len(self._lists) - 1, 0)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _say(self, text: str | None) -> None:
        if text:
            self._inline.append(text)

    def _flush(self, level: int = 0) -> Iterator[Block]:
        """The block of what was said since the last one, if it says anything."""
        said, self._inline = "".join(self._inline), []
        if not said.strip():
            return
        if self._cells is not None:
            self._cell.append(one_line(said.replace("\v", " ")))
        elif self._preformatted:
            yield Block(said.strip("\n"))
        else:
            text = self._marker + "\n".join(one_line(line) for line in said.split("\v")).strip()
            yield Block(text, level, tight=bool(self._lists) and not level)
            self._marker = ""


def _is_data(table_row: Element) -> bool:
    """Whether a row is of a table of data: layout tables hold other tables, or headings."""
    return not any(True for _ in table_row.iter("table", "pre", *_LEVELS))
