"""Answers as HTML that is safe to show: a chat model's Markdown, or quotes as the text they are.

A model may have been told by a document what to write. So nothing it writes becomes a link, an
image or markup of its own, and what is left passes an allowlist once more.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from retrieval.chat.extractive import ExtractiveAnswerer
from retrieval.types import Answer, Outcome

_MARK = re.compile(r"\s*\[(\d{1,4})\]")
_TEXTS = frozenset({"text", "code_inline", "softbreak", "hardbreak"})
_BREAKS = frozenset({"softbreak", "hardbreak"})
_HEADING = "h4"  # of whatever level: a page has its own above
_TAGS = frozenset(
    "p br hr h4 ul ol li blockquote pre code em strong s sup a span "
    "table thead tbody tr th td".split()
)
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_CLASSES = {"a": {"mark"}, "span": {"unsupported", "contradicted"}}


@dataclass(frozen=True, slots=True)
class _Span:
    """Where in the text that readers see a sentence stands, and what was found out about it."""

    start: int
    end: int
    outcome: Outcome


def to_html(answer: Answer) -> str:
    """The text of an answer; its marks refer to `#note-N`, and each sentence that isn't verified
    stands in a `span` of the class `unsupported` or `contradicted`.
    """
    known = frozenset(citation.marker for citation in answer.citations)
    if answer.abstained or answer.model == ExtractiveAnswerer.name:
        lines = answer.text.split("\n")
        return _clean("".join(f"<p>{_marked(line, known)}</p>" for line in lines))
    tokens = _MARKDOWN.parse(answer.text)
    for token in tokens:
        if token.type.startswith("heading_"):
            token.tag = _HEADING
    spans = _doubtful(answer, tokens)
    place = 0
    for block in _blocks(tokens):
        children: list[Token] = []
        for token in block:
            children += _with_spans(token, place, spans, known)
            place += len(_seen(token))
        block[:] = children
        place += 1
    return _clean(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def _doubtful(answer: Answer, tokens: Sequence[Token]) -> list[_Span]:
    """The sentences without a footnote, in the text as it is seen, in their order."""
    seen = _text(tokens)
    spans, after = [], 0
    for statement in answer.statements:
        sentence = _text(_MARKDOWN.parse(statement.text)).strip()
        if not sentence or (start := seen.find(sentence, after)) < 0:
            continue
        after = start + len(sentence)
        if statement.outcome is not Outcome.VERIFIED:
            spans.append(_Span(start, after, statement.outcome))
    return spans


def _blocks(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """The inline tokens of each block, in their order."""
    for token in tokens:
        if token.type == "inline" and token.children is not None:
            yield token.children


def _text(tokens: Iterable[Token]) -> str:
    """What a reader sees, a block a line."""
    return "\n".join("".join(map(_seen, block)) for block in _blocks(tokens))


def _seen(token: Token) -> str:
    if token.type in _BREAKS:
        return "\n"
    return token.content if token.type in _TEXTS else ""


def _with_spans(
    token: Token, place: int, spans: Sequence[_Span], known: frozenset[int]
) -> Iterator[Token]:
    """A token that begins at `place` in the text, parted where a doubtful sentence does."""
    if token.type not in _TEXTS or token.type in _BREAKS:
        yield token
        return
    end = place + len(token.content)
    inside = [span for span in spans if span.start < end and place < span.end]
    if token.type == "code_inline":
        wrapped = f"<code>{html.escape(token.content)}</code>"
        yield _raw(f'<span class="{inside[0].outcome}">{wrapped}</span>' if inside else wrapped)
        return
    at = place
    for span in inside:
        first, last = max(span.start, place), min(span.end, end)
        yield _raw(_marked(token.content[at - place : first - place], known))
        words = _marked(token.content[first - place : last - place], known)
        yield _raw(f'<span class="{span.outcome}">{words}</span>')
        at = last
    yield _raw(_marked(token.content[at - place :], known))


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


def _raw(markup: str) -> Token:
    return Token("html_inline", "", 0, content=markup)


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
    .disable(["link", "image", "autolink", "reference", "html_block", "html_inline"])
)
