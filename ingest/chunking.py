"""Chunks: whole sentences up to the embedder's window, cut where the text itself pauses.

A chunk is a span. It never crosses a heading, begins and ends with a sentence, and repeats about
`overlap` tokens of the one before. A short section is cut in equal parts; in a long one the text
around a cut alone decides, so an edit changes the chunks it touches and not those that follow.
The path of headings above it goes into what is embedded and indexed (its context), not into the
span. A sentence that alone exceeds the window is cut at the clause, word or character that still
fits.
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Protocol

from ingest.parsing import GoOn, always
from ingest.splitting import split
from retrieval.embedding.tokens import TokenizedText
from retrieval.sentences import Span, sentences
from retrieval.types import Chunk, Chunking, Document, Heading

CountTokens = Callable[[Sequence[str]], list[int]]

# Tokens of a chunk where nothing is said: a passage, also where a model could read a chapter.
_USUAL = 512
_CONTEXT_SHARE = 4  # the context takes at most a quarter of a chunk
_OVERLAP_SHARE = 3  # and what is repeated a third
_SHORT = 4  # budgets that a section has which is cut in equal parts: an edit changes no more
_LEAST = 0.5  # of the budget is what a chunk has, but for the last of a section
_LAST = 0.25  # and what that one has, if it can be
# Code points a token: prose in any script stays far below. A tokenizer that reads a megabyte of
# base64 as one unknown word would otherwise make one chunk of it.
_DENSITY = 16
_LONGEST_HEADING = 500  # characters that are kept of one; a title that somebody gives has no more
_DEEPEST = 32  # headings of a path: no text is divided as often, but a file may say it is

# What makes a line a heading in Markdown, around its words: hashes, or an underline.
_HASHES = re.compile(r"[ \t]*#{1,6}[ \t]+\Z")
_UNDERLINE = re.compile(r"(?:[ \t]+#+)?[ \t]*(?=\n|\Z)(?:\n {0,3}(?:=+|-+)[ \t]*(?=\n|\Z))?")


@dataclass(frozen=True, slots=True)
class CutDocument:
    """Chunks of a document and, for each, the text to embed and index (context and span), as it is
    and as the embedder reads it.
    """

    chunks: tuple[Chunk, ...]
    texts: tuple[str, ...]
    tokenized: tuple[TokenizedText, ...]


class Tokenizes(Protocol):
    """Reads texts as the embedder does."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]: ...


@dataclass(frozen=True, slots=True)
class _Section:
    """A stretch of text under one path of headings."""

    span: Span
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, or a part of one, and the tokens that it adds to a chunk, at least one."""

    span: Span
    tokens: int


def cut(
    document: Document,
    chunking: Chunking,
    window: int,
    tokenizer: Tokenizes,
    generation: str = "",
    go_on: GoOn = always,
) -> CutDocument:
    """The chunks of a document, none longer than the window by the embedder's own count.

    `tokenizer` counts each text with what the model adds to it; `window` is the model's.
    The ids of chunks depend on the fingerprint of their generation. Raises what `go_on` raises.
    """
    limit = min(window, chunking.tokens or _USUAL)
    count_tokens = _Remembering(tokenizer)
    [added] = count_tokens([""])
    chunks: list[Chunk] = []
    texts: list[str] = []
    tokenized: list[TokenizedText] = []

    @cache
    def context_of(path: tuple[str, ...]) -> tuple[str, int]:
        context = _context(document.title, path, limit // _CONTEXT_SHARE, count_tokens)
        return context, count_tokens([context])[0]

    for section in _sections(document):
        context, taken = context_of(section.path)
        kept = tuple(map(shortened, section.path))
        pieces = _pieces(document.text, section.span, limit - taken, added, count_tokens)
        overlap = min(chunking.overlap, (limit - taken) // _OVERLAP_SHARE)
        for packed in _pack(document.text, pieces, limit - taken, overlap):
            go_on()
            # The tokens of a whole may exceed the sum of its sentences' by a few.
            for span in split(document.text, packed, _fits(context, limit, count_tokens)):
                if chunks and span.end <= chunks[-1].end:
                    continue  # a part that only repeats
                text = context + document.text[span.start : span.end]
                read = count_tokens.read(text)
                cut_here = (len(chunks), span.start, span.end, kept, context, read.count)
                chunks.append(chunk_of(document, generation, *cut_here))
                texts.append(text)
                tokenized.append(read)
    return CutDocument(tuple(chunks), tuple(texts), tuple(tokenized))


class _Remembering:
    """Counts tokens, and keeps those of the last single text: what was found to fit is taken."""

    def __init__(self, tokenizer: Tokenizes) -> None:
        self._tokenizer = tokenizer
        self._last: tuple[str, TokenizedText] | None = None

    def __call__(self, texts: Sequence[str]) -> list[int]:
        if len(texts) != 1:
            return self._tokenizer.count_tokens(texts)
        return [self.read(texts[0]).count]

    def read(self, text: str) -> TokenizedText:
        if self._last is None or self._last[0] != text:
            [read] = self._tokenizer.tokenize([text])
            self._last = (text, read)
        return self._last[1]


def _sections(document: Document) -> Iterator[_Section]:
    """The text under each heading; a heading with nothing under it stands for itself."""
    text, headings = document.text, document.headings
    path: list[tuple[int, str]] = []
    marked = [_marked(text, heading) for heading in headings]
    yield _Section(Span(0, marked[0].start if marked else len(text)), ())
    for at, heading in enumerate(headings):
        following = headings[at + 1] if at + 1 < len(headings) else None
        while path and path[-1][0] >= heading.level:
            path.pop()
        above = tuple(title for _, title in path)
        del path[: 1 - _DEEPEST]
        path.append((heading.level, " ".join(text[heading.start : heading.end].split())))
        start, end = marked[at].end, marked[at + 1].start if following else len(text)
        if text[start:end].strip():
            yield _Section(Span(start, end), tuple(title for _, title in path))
        elif following is None or following.level <= heading.level:
            yield _Section(Span(heading.start, heading.end), above)


def _marked(text: str, heading: Heading) -> Span:
    """A heading with the signs around it, which belong to no section."""
    line = text.rfind("\n", 0, heading.start) + 1
    underline = _UNDERLINE.match(text, heading.end)
    return Span(
        line if _HASHES.match(text[line : heading.start]) else heading.start,
        underline.end() if underline else heading.end,
    )


def shortened(title: str) -> str:
    """A title or heading as it is kept, with an ellipsis for the end of one that is too long."""
    return title if len(title) <= _LONGEST_HEADING else title[: _LONGEST_HEADING - 1] + "…"


def _context(title: str, path: Sequence[str], budget: int, count_tokens: CountTokens) -> str:
    """Title and headings on a line of their own; where they are too long, the outer ones go.

    Those that can't fit by their length alone are neither joined nor counted: that would be done
    again for each section.
    """
    most = budget * _DENSITY
    above = list(path)
    if 0 < len(title) <= most and title not in above[:1]:
        above.insert(0, title)
    while above:
        if sum(map(len, above)) <= most:
            context = " > ".join(above) + "\n"
            if count_tokens([context])[0] <= budget:
                return context
        above.pop(1 if len(above) > 2 else 0)
    return ""


def _pieces(
    text: str, section: Span, budget: int, added: int, count_tokens: CountTokens
) -> list[_Piece]:
    """The sentences of a section, cut where one alone exceeds the budget."""
    found = [
        Span(section.start + start, section.start + end)
        for start, end in sentences(text[section.start : section.end])
    ]
    counts = count_tokens([text[span.start : span.end] for span in found]) if found else []
    pieces: list[_Piece] = []
    for span, count in zip(found, counts, strict=True):
        if count - added <= budget and span.end - span.start <= budget * _DENSITY:
            pieces.append(_Piece(span, max(1, count - added)))
            continue
        parts = list(split(text, span, _fits("", budget + added, count_tokens)))
        tokens = count_tokens([text[part.start : part.end] for part in parts])
        pieces.extend(
            _Piece(part, max(1, n - added)) for part, n in zip(parts, tokens, strict=True)
        )
    return pieces


def _pack(text: str, pieces: Sequence[_Piece], budget: int, overlap: int) -> Iterator[Span]:
    """Runs of pieces within the budget, each repeating some of the last."""
    first = begin = 0
    for end in _ends(text, pieces, budget, overlap):
        yield Span(pieces[first].span.start, pieces[end - 1].span.end)
        first = _repeated(pieces, begin, end, budget, overlap)
        begin = end


def _ends(text: str, pieces: Sequence[_Piece], budget: int, overlap: int) -> Iterator[int]:
    """Where runs end: of a short section in equal parts, of a long one where its content says."""
    total = sum(piece.tokens for piece in pieces)
    if total > _SHORT * budget:
        return _ends_by_content(text, pieces, budget, overlap)
    tried = (_equal_ends(pieces, runs) for runs in range(-(-total // budget), len(pieces) + 1))
    return iter(next(ends for ends in tried if _fit(pieces, ends, budget, overlap)))


def _equal_ends(pieces: Sequence[_Piece], runs: int) -> list[int]:
    """The ends of that many runs of about as many tokens."""
    sums = list(accumulate(piece.tokens for piece in pieces))
    ends: list[int] = []
    for run in range(1, runs + 1):
        goal, last = sums[-1] * run / runs, ends[-1] if ends else 0
        nearest = min(range(last, len(pieces)), key=lambda at: abs(sums[at] - goal)) + 1
        ends.append(min(nearest, len(pieces) - (runs - run)))
    return ends


def _fit(pieces: Sequence[_Piece], ends: Sequence[int], budget: int, overlap: int) -> bool:
    first = begin = 0
    for end in ends:
        if sum(piece.tokens for piece in pieces[first:end]) > budget:
            return False
        first = _repeated(pieces, begin, end, budget, overlap)
        begin = end
    return True


def _repeated(pieces: Sequence[_Piece], before: int, begin: int, budget: int, overlap: int) -> int:
    """The first of the pieces that the run from `begin` repeats of the run from `before`.

    Never all of them: the one run would then be in the other.
    """
    first = begin
    spare = min(overlap, budget - pieces[begin].tokens) if begin < len(pieces) else 0
    while first > before + 1 and (spare := spare - pieces[first - 1].tokens) >= 0:
        first -= 1
    return first


def _ends_by_content(
    text: str, pieces: Sequence[_Piece], budget: int, overlap: int
) -> Iterator[int]:
    """Ends between half of the budget and all of it, at the strongest pause.

    Among equal ones a hash of the words that follow decides. So two texts that are the same from
    somewhere on are soon cut at the same places, as in content-defined chunking (Muthitacharoen
    et al. 2001).
    """
    left = sum(piece.tokens for piece in pieces)
    first = begin = 0
    while begin < len(pieces):
        tokens = sum(piece.tokens for piece in pieces[first:begin])
        ends: list[tuple[int, int, int]] = []
        end, rest = begin, left
        while end < len(pieces) and (end == begin or tokens + pieces[end].tokens <= budget):
            tokens += pieces[end].tokens
            rest -= pieces[end].tokens
            end += 1
            if tokens >= budget * _LEAST and rest >= budget * _LAST:
                ends.append((*_pause(text, pieces, end), end))
        if end < len(pieces) and ends:
            end = max(ends)[-1]
        yield end
        left -= sum(piece.tokens for piece in pieces[begin:end])
        first = _repeated(pieces, begin, end, budget, overlap)
        begin = end


def _pause(text: str, pieces: Sequence[_Piece], at: int) -> tuple[int, int]:
    """How strong the pause before a piece is: line breaks, two at most, then chance by content."""
    following = pieces[at].span
    lines = text.count("\n", pieces[at - 1].span.end, following.start)
    return min(lines, 2), zlib.crc32(text[following.start : following.end].encode())


def _fits(context: str, limit: int, count_tokens: CountTokens) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        return len(text) <= limit * _DENSITY and count_tokens([context + text])[0] <= limit

    return fits


def chunk_of(
    document: Document,
    generation: str,
    ordinal: int,
    start: int,
    end: int,
    path: tuple[str, ...],
    context: str,
    tokens: int,
) -> Chunk:
    """A span of a version as a chunk, whose id says in which generation it was cut."""
    origin = f"{document.id}:{document.version}:{generation}:{start}:{end}"
    return Chunk(
        id=hashlib.sha256(origin.encode()).hexdigest()[:32],
        document_id=document.id,
        version=document.version,
        ordinal=ordinal,
        start=start,
        end=end,
        heading=path,
        context=context,
        tokens=tokens,
    )
