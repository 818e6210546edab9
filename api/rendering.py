"""Answers as HTML that is safe to show: a chat model's Markdown, or quotes as the text they are.

A model may have been told by a document what to write. So nothing it writes becomes a link, an
image or markup of its own, and what is left passes an allowlist once more.
"""

import html
import re
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML

from api.doubts import doubts, mark_unseen, plain
from api.places import Seen, seen
from retrieval.chat.extractive import ExtractiveAnswerer
from retrieval.types import Answer, Outcome

_MARK = re.compile(r"\s*\[(\d{1,4})\]")
# The marks of a table's row, behind its last bar: there they would be a cell too many.
_ROW_MARKS = re.compile(r"(?<!\\)\|( (?:\[\d{1,4}\])+)(?=[ \t]*$)", re.MULTILINE)
_HEADING = "h4"  # of whatever level: a page has its own above
_TAGS = frozenset(
    "p br hr h4 ul ol li blockquote pre code em strong s sup a span "
    "table thead tbody tr th td".split()
)
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_DOUBTS = {Outcome.UNSUPPORTED.value, Outcome.CONTRADICTED.value}
_BLOCKS = ("p", "h4", "ul", "ol", "li", "blockquote", "pre", "table", "tr")
_CLASSES = {"a": {"mark"}, **dict.fromkeys(("span", *_BLOCKS), _DOUBTS)}


def to_html(answer: Answer) -> str:
    """The text of an answer; its marks refer to `#note-N`, and each sentence that isn't verified
    stands in a `span` of the class `unsupported` or `contradicted`, or, where nothing of it is
    seen, in a block of that class.
    """
    known = frozenset(citation.marker for citation in answer.citations)
    if answer.abstained or answer.model == ExtractiveAnswerer.name:
        lines = answer.text.split("\n")
        return _clean("".join(f"<p>{_marked(line, known)}</p>" for line in lines))
    text = plain(answer.text)
    source = _ROW_MARKS.sub(r"\1|", text)  # of the same length
    tokens = _MARKDOWN.parse(source)
    shown = list(seen(source, tokens))
    found = list(doubts(answer.statements, text))
    mark_unseen(tokens, source, shown, found)
    outcomes: list[Outcome | None] = [None] * len(source)
    for doubt in found:
        outcomes[doubt.start : doubt.end] = [doubt.outcome] * (doubt.end - doubt.start)
    for one in shown:
        one.token.content = _markup(one, outcomes, known)
        one.token.type = "html_inline"
    for token in tokens:
        if token.type.startswith("heading_"):
            token.tag = _HEADING
    return _clean(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def _markup(one: Seen, outcomes: Sequence[Outcome | None], known: frozenset[int]) -> str:
    """What is seen of a token, parted where a doubtful sentence begins or ends."""
    token = one.token
    is_code = not token.type.startswith("text")
    whole = [_worst(outcomes[one.block])] * len(token.content)
    found = [outcomes[at] for at in one.places] or whole
    parts: list[str] = []
    for outcome, run in groupby(zip(token.content, found, strict=True), itemgetter(1)):
        text = "".join(character for character, _ in run)
        words = html.escape(text) if is_code else _marked(text, known)
        parts.append(f'<span class="{outcome}">{words}</span>' if outcome else words)
    markup = "".join(parts)
    if token.type == "code_inline":
        return f"<code>{markup}</code>"
    if is_code:
        return f"<pre{RendererHTML.renderAttrs(token)}><code>{markup}</code></pre>\n"
    return markup


def _worst(outcomes: Sequence[Outcome | None]) -> Outcome | None:
    both = (Outcome.CONTRADICTED, Outcome.UNSUPPORTED)
    return next((outcome for outcome in both if outcome in outcomes), None)


def _marked(text: str, known: frozenset[int]) -> str:
    """Escaped, with each mark of a citation as a reference to its note."""
    parts, after = [], 0
    for mark in _MARK.finditer(text):
        number = int(mark[1])
        if number in known:
            parts.append(html.escape(text[after : mark.start()]))
            parts.append(f'<sup><a class="mark" href="#note-{number}">{number}</a></sup>')
            after = mark.end()
    return "".join(parts) + html.escape(text[after:])


def _clean(markup: str) -> str:
    return nh3.clean(
        markup,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes=set(),
        link_rel=None,
    )


_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable(["link", "image", "autolink", "reference", "html_block", "html_inline", "text_join"])
)
