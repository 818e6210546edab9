"""What the styles of a DOCX file say of its paragraphs: heading levels and list numbering."""

import re
from dataclasses import dataclass
from typing import Final

from ingest.parsers.docx_package import W
from ingest.parsers.markup import Element

_HEADING_NAME: Final = re.compile(
    r"(?:heading|überschrift|titre|título|titolo|kop|rubrik|заголовок|标题|標題|見出し|제목)\s*([1-9])$",
    re.IGNORECASE,
)
_TITLE_NAME: Final = re.compile(r"(?:title|titel|标题|標題|表題|제목)$", re.IGNORECASE)
_BODY_LEVEL: Final = 9


@dataclass(frozen=True, slots=True)
class Numbering:
    """A paragraph's place in a list: which list, and how deep from 0."""

    list_id: str
    depth: int


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph is by its style: a heading's level (0 for none), a title, a list item."""

    level: int = 0
    title: bool = False
    numbering: Numbering | None = None


def value(parent: Element | None, path: str, default: str = "") -> str:
    """The `w:val` of the element at `path` under `parent`, or `default`."""
    element = None if parent is None else parent.find(path)
    return default if element is None else element.get(f"{W}val", default)


def read_styles(root: Element | None) -> dict[str, Style]:
    """The paragraph styles by their id, with what they inherit."""
    elements = {} if root is None else {_id(each): each for each in root.iter(f"{W}style")}
    return {name: _inherited(element, elements) for name, element in elements.items()}


def paragraph_style(properties: Element | None, styles: dict[str, Style]) -> Style:
    """What a paragraph is: its own properties over those of its style."""
    style = styles.get(value(properties, f"{W}pStyle"), Style())
    return _own(properties, style)


def _id(element: Element) -> str:
    return element.get(f"{W}styleId", "")


def _inherited(element: Element, elements: dict[str, Element]) -> Style:
    """A style with what the chain of styles it is based on gives it; a cycle ends the chain."""
    chain = [element]
    while (parent := elements.get(value(chain[-1], f"{W}basedOn"))) is not None:
        if parent in chain:
            break
        chain.append(parent)
    style = Style()
    for each in reversed(chain):
        style = _own(each.find(f"{W}pPr"), style)
    name = value(element, f"{W}name")
    if found := _HEADING_NAME.match(name):
        return Style(int(found[1]), False, style.numbering)
    if _TITLE_NAME.match(name):
        return Style(1, True, style.numbering)
    return style


def _own(properties: Element | None, style: Style) -> Style:
    """`style`, overruled by what paragraph properties say themselves."""
    if properties is None:
        return style
    outline = value(properties, f"{W}outlineLvl")
    level = style.level
    if outline.isdecimal():
        level = 0 if int(outline) >= _BODY_LEVEL else int(outline) + 1
    numbering = style.numbering
    own = properties.find(f"{W}numPr")
    if own is not None:
        inherited = numbering or Numbering("0", 0)
        depth = value(own, f"{W}ilvl")
        numbering = Numbering(
            value(own, f"{W}numId", inherited.list_id),
            int(depth) if depth.isdecimal() else inherited.depth,
        )
    return Style(level, style.title, numbering)
