"""Which part of a page is its text: not the chrome around it, not what isn't shown."""

import re
from itertools import islice
from typing import Final

from ingest.parsers.characters import one_line
from ingest.parsers.hidden import Hidden
from ingest.parsers.markup import Element, Walk

_INVISIBLE_TAGS: Final = frozenset(
    "script style noscript template head title meta link svg canvas iframe object embed audio "
    "video map button select option datalist input textarea progress meter rp rt".split()
)
_CHROME_TAGS: Final = frozenset(("nav", "footer", "aside"))
_CHROME_ROLES: Final = frozenset(("navigation", "contentinfo", "search", "complementary", "menu"))
# Not by opacity: pages fade their text in. Colours only where the style has the ground too: what
# text stands on is otherwise for the style sheet to say.
_GONE: Final = {("display", "none"), ("visibility", "hidden")}
_TINY: Final = re.compile(r"0(?:\.0*)?(?:px|pt|r?em|%)?|0?\.\d+p[xt]|1(?:\.\d+)?p[xt]")
_FAR: Final = re.compile(r"-\d{4,}(?:\.\d+)?(?:px|pt|em)")
_MOVES: Final = ("left", "top", "text-indent", "margin-left")
_SUBSTANTIAL: Final = 0.4
"""A marked main part with less of the page's text than this is a teaser, not the page."""


def is_invisible(element: Element) -> bool:
    """Whether a browser shows nothing of an element. A hidden body is about to be revealed."""
    return element.tag != "body" and (
        element.tag in _INVISIBLE_TAGS
        or element.get("hidden", "no") not in ("no", "until-found")
        or element.get("aria-hidden", "") == "true"
        or bool(_way(element))
    )


def hidden_parts(root: Element) -> list[Hidden]:
    """The text in a page that its own styles hide."""
    found: list[Hidden] = []
    walk = Walk(root)
    for event, element in walk:
        if event != "start" or element.tag == "body":
            continue
        if element.tag in _INVISIBLE_TAGS:
            walk.skip()
        elif way := _way(element):
            text = one_line(" ".join(element.itertext()))
            found += [Hidden(text, way)] if text else []
            walk.skip()
    return found


def _way(element: Element) -> str:
    """How an element's own style hides it; empty where it doesn't."""
    style = _style(element.get("style", ""))
    if not style:
        return ""
    ground = style.get("background-color", style.get("background", ""))
    if any(each in _GONE for each in style.items()):
        return "not displayed"
    if any(_FAR.fullmatch(style.get(name, "")) for name in _MOVES):
        return "off the page"
    if style.get("color") == ground:
        return "in the colour of its ground"
    unseen = style.get("color") == "transparent" and "text" not in style.get("background-clip", "")
    tiny = _TINY.fullmatch(style.get("font-size", "")) is not None
    return "tiny or transparent" if (unseen or tiny) and not _has_elements(element) else ""


def _style(declared: str) -> dict[str, str]:
    """The declarations of a style; of several the last one counts, and -webkit- is left out."""
    parts = (one.partition(":") for one in "".join(declared.lower().split()).split(";"))
    return {
        name.removeprefix("-webkit-"): value.removesuffix("!important")
        for name, _, value in parts
        if value
    }


def _has_elements(element: Element) -> bool:
    """Whether there are elements within, which a style sheet may show: columns are often set in a
    frame of no size.
    """
    return any(True for _ in islice(element.iter(), 1, None))


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
