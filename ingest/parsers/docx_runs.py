"""The text inside one DOCX paragraph: runs, tabs, breaks, links, equations, text boxes."""

from collections.abc import Iterator
from typing import Final

from ingest.parsers.docx_package import W
from ingest.parsers.hidden import Hidden
from ingest.parsers.markup import Element, Walk

_MATH_TEXT: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BOX: Final = f"{W}txbxContent"
_SKIPPED: Final = frozenset(
    (
        _FALLBACK,  # the same content once more, for old readers
        _BOX,  # read after the paragraph it is anchored in
        *(W + tag for tag in ("del", "moveFrom", "pPr", "instrText", "delText", "rt")),
    )
)
_SPELLED: Final = {
    f"{W}tab": "\t",
    f"{W}ptab": "\t",
    f"{W}br": "\n",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "-",
}
_NOTE_MARKS: Final = (f"{W}footnoteReference", f"{W}endnoteReference")
_OFF: Final = ("0", "false", "off")
_TINY: Final = ("0", "1", "2")  # halves of a point
_WHITE: Final = "FFFFFF"
_GROUNDS: Final = ("shd", "highlight", "rStyle")
_GROUNDED: Final = (f"{W}tbl", _BOX)


def paragraph_text(paragraph: Element) -> str:
    """What a reader sees of a paragraph, text boxes left out; "[1]" where a note is marked."""
    parts: list[str] = []
    walk = Walk(paragraph)
    for event, element in walk:
        if event == "end":
            continue
        tag = element.tag
        if tag in _SKIPPED or (tag == f"{W}r" and _is_hidden(element)):
            walk.skip()
        elif tag == f"{W}t" or tag == _MATH_TEXT:
            parts.append(element.text or "")
        elif tag in _SPELLED:
            parts.append(_SPELLED[tag])
        elif tag == f"{W}sym":
            parts.append(_symbol(element))
        elif tag in _NOTE_MARKS:
            parts.append(f"[{element.get(f'{W}id', '')}]")
    return "".join(parts)


def text_boxes(paragraph: Element) -> Iterator[Element]:
    """The contents of the text boxes anchored in a paragraph, outermost ones only."""
    walk = Walk(paragraph)
    for event, element in walk:
        if event == "start" and element.tag in _SKIPPED:
            walk.skip()
            if element.tag == _BOX:
                yield element


def hidden_runs(document: Element) -> list[Hidden]:
    """The text that a document has and doesn't show, each stretch of it."""
    found: list[Hidden] = []
    for run in document.iter(f"{W}r"):
        way = _way(run)
        text = "".join(element.text or "" for element in run.iter(f"{W}t"))
        if way and text.strip():
            found.append(Hidden(text, way))
    return found


def _is_hidden(run: Element) -> bool:
    return bool(_way(run))


def _way(run: Element) -> str:
    """How a run is hidden; empty where it isn't. White text may stand on a dark cell or shape."""
    properties = run.find(f"{W}rPr")
    if properties is None:
        return ""
    vanish = properties.find(f"{W}vanish")
    if vanish is not None and vanish.get(f"{W}val", "true") not in _OFF:
        return "marked as hidden"
    size, colour = properties.find(f"{W}sz"), properties.find(f"{W}color")
    if size is not None and size.get(f"{W}val", "") in _TINY:
        return "tiny"
    if colour is None or colour.get(f"{W}val", "").upper() != _WHITE:
        return ""
    own = any(properties.find(W + tag) is not None for tag in _GROUNDS)
    return "" if own or _on_ground(run) else "in the colour of the page"


def _on_ground(run: Element) -> bool:
    """Whether a run stands in something that may have a colour: a cell, a shape, a shaded or
    styled paragraph.
    """
    above = run.getparent()
    while above is not None:
        if above.tag in _GROUNDED or above.find(f"{W}pPr/{W}shd") is not None:
            return True
        if above.find(f"{W}pPr/{W}pStyle") is not None:
            return True
        above = above.getparent()
    return False


def _symbol(element: Element) -> str:
    """A character by its code; fonts of symbols keep theirs in the private use area."""
    try:
        return chr(int(element.get(f"{W}char", ""), 16))
    except (ValueError, OverflowError):
        return ""
