"""Which part of a page is its text: not the chrome around it, not what isn't shown."""

import re
from typing import Final

from ingest.parsers.markup import Element, Walk

_INVISIBLE_TAGS: Final = frozenset(
    "script style noscript template head title meta link svg canvas iframe object embed audio "
    "video map button select option datalist input textarea progress meter rp rt".split()
)
_CHROME_TAGS: Final = frozenset(("nav", "footer", "aside"))
_CHROME_ROLES: Final = frozenset(("navigation", "contentinfo", "search", "complementary", "menu"))
_HIDING: Final = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_SUBSTANTIAL: Final = 0.4
"""A marked main part with less of the page's text than this is a teaser, not the page."""


def is_invisible(element: Element) -> bool:
    """Whether a browser shows nothing of an element. A hidden body is about to be revealed."""
    return element.tag != "body" and (
        element.tag in _INVISIBLE_TAGS
        or element.get("hidden", "no") not in ("no", "until-found")
        or element.get("aria-hidden", "") == "true"
        or _HIDING.search(element.get("style", "")) is not None
    )


def is_chrome(element: Element) -> bool:
    """Whether an element surrounds the text of a page: navigation, footers, side notes."""
    if element.tag == "header":
        return not any(True for _ in element.iter("h1", "h2"))
    return element.tag in _CHROME_TAGS or element.get("role", "") in _CHROME_ROLES


def main_part(root: Element) -> Element:
    """The element that holds the page's text: `main` or the one `article` if it is marked."""
    candidates = [
        *root.iter("main"),
        *(element for element in root.iter("div", "section") if element.get("role", "") == "main"),
    ]
    articles = list(root.iter("article"))
    if len(articles) == 1:
        candidates += articles
    enough = _shown(root) * _SUBSTANTIAL if candidates else 0
    return next((each for each in candidates if _shown(each) > enough), root)


def _shown(root: Element) -> int:
    """How many characters of text are shown in an element, chrome left out."""
    length = 0
    walk = Walk(root)
    for event, element in walk:
        if event == "end":
            length += len((element.tail or "").strip()) if element is not root else 0
        elif is_invisible(element) or is_chrome(element):
            walk.skip()
        else:
            length += len((element.text or "").strip())
    return length
