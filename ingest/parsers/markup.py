"""XML and HTML trees: the one place that touches lxml, which has no types of its own.

No entity is resolved, no DTD loaded, nothing fetched. Trees are walked with a loop, so depth
costs no stack.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal, Protocol, cast

from lxml import etree, html


class Element(Protocol):
    """What is used of an lxml element."""

    tag: str
    text: str | None
    tail: str | None

    def get(self, key: str, default: str = ...) -> str: ...
    def find(self, path: str) -> "Element | None": ...
    def findall(self, path: str) -> "list[Element]": ...
    def iter(self, *tags: str) -> "Iterator[Element]": ...
    def itertext(self) -> Iterator[str]: ...
    def iterchildren(self, *tags: str) -> "Iterator[Element]": ...
    def getparent(self) -> "Element | None": ...


MarkupError: Final[type[Exception]] = etree.LxmlError
"""Raised for markup that can't be parsed."""


class Walk:
    """A walk over a tree, in and out of every element; `skip` leaves out what is inside one."""

    def __init__(self, root: Element) -> None:
        self._events: Any = etree.iterwalk(root, events=("start", "end"))

    def __iter__(self) -> Iterator[tuple[Literal["start", "end"], Element]]:
        for event, element in self._events:
            if isinstance(element.tag, str):
                yield event, element

    def skip(self) -> None:
        """Leaves out the content of the element just entered; its end still comes."""
        self._events.skip_subtree()


def read_xml(data: bytes) -> Element:
    """The root of an XML document. Raises MarkupError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return cast(Element, etree.fromstring(data, parser=parser))


def read_html(text: str) -> Element | None:
    """The root of a page, repaired as browsers do; None if nothing is in it.

    Raises MarkupError where elements nest deeper than libxml2 goes (2,048).
    """
    parser = html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True, no_network=True
    )
    try:
        root = html.document_fromstring(text.encode(), parser=parser)
    except etree.ParserError:
        return None
    for entry in parser.error_log:
        if entry.type_name == "ERR_RESOURCE_LIMIT":
            raise etree.LxmlError(entry.message)
    return cast(Element, root)
