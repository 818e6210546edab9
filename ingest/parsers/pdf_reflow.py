"""Lines of a PDF page to paragraphs, by where the lines stand.

Wrapped lines are joined; rows of tables, items of lists and short lines stay on lines of their
own. A line ended a paragraph if the first word of the next one would still have fitted on it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Final

from ingest.parsers.characters import glue
from ingest.parsers.pdf_hyphens import Hyphens
from ingest.parsers.pdf_lines import Line

_SENTENCE_END: Final = re.compile(r"[.!?:;。！？：；…][\"'”’»）)\]]*\d{0,3}$")
_ITEM: Final = re.compile(
    r"(?:[•●○◦▪■□◆‣⁃·∙–—*✓➢►-] ?(?=\S)|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)] |\[\d{1,3}\] )"
)
_SAME_SIZE: Final = 1.2
_WIDER_LEADING: Final = 1.3
_FARTHEST: Final = 2.6
"""Heights between the tops of two lines beyond which they aren't of one text."""
_INDENT: Final = 0.8
_BESIDE: Final = 0.5


class Joint(Enum):
    """What stands between two lines."""

    JOIN = ""
    LINE = "\n"
    PARAGRAPH = "\n\n"


@dataclass(frozen=True, slots=True)
class PageText:
    """The canonical text of a page. `sources[i]` is pdfium's number of `text[i]`, -1 if none."""

    text: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """Lines below each other in one size: their right margin and usual distance."""

    right: float
    leading: float


def reflow(lines: Sequence[Line]) -> PageText:
    """The paragraphs of a page, in the order of its lines."""
    if not lines:
        return PageText("", ())
    lines = _with_cells(lines)
    hyphens = Hyphens(lines)
    runs = _runs(lines)
    text, sources = [lines[0].text], list(lines[0].sources)
    paragraph = 1  # lines in it so far
    for at, (above, line) in enumerate(pairwise(lines)):
        joint = _joint(above, line, runs[at], runs[at + 1], paragraph)
        if above.hyphen and line.text[0].islower():
            joint = Joint.JOIN
        between = joint.value
        if joint is Joint.JOIN and above.hyphen:
            if not hyphens.kept(above.text, line.text):
                text[-1] = text[-1][:-1]
                del sources[-1]
        elif joint is Joint.JOIN:
            between = _between(above, line)
        paragraph = paragraph + 1 if joint is Joint.JOIN else 1
        text += (between, line.text)
        sources += (-1,) * len(between)
        sources += line.sources
    return PageText("".join(text), tuple(sources))


def _with_cells(lines: Sequence[Line]) -> list[Line]:
    """The lines, those of tables with their cells parted: a row alone may be anything."""
    pairs = [_are_rows(above, line) for above, line in pairwise(lines)]
    tabled = [any(near) for near in zip([False, *pairs], [*pairs, False], strict=True)]
    return [line.with_cells() if row else line for line, row in zip(lines, tabled, strict=True)]


def _are_rows(above: Line, line: Line) -> bool:
    step = line.place.top - above.place.top
    near = 0 < step < _FARTHEST * max(above.place.height, line.place.height, 0.1)
    return bool(above.gaps and line.gaps) and near


def _runs(lines: Sequence[Line]) -> list[_Run]:
    """The run that each line is in; lines of one run share the same object."""
    groups = [[lines[0]]]
    for above, line in pairwise(lines):
        if _flows(above, line):
            groups[-1].append(line)
        else:
            groups.append([line])
    runs: list[_Run] = []
    for group in groups:
        steps = sorted(low.place.top - high.place.top for high, low in pairwise(group))
        leading = steps[len(steps) // 4] if steps else 0.0
        run = _Run(max(line.place.right for line in group), leading)
        runs += [run] * len(group)
    return runs


def _flows(above: Line, line: Line) -> bool:
    """Whether `line` stands right below `above`, in about the same size."""
    high, low = above.place, line.place
    heights = sorted((max(high.height, 0.1), max(low.height, 0.1)))
    return (
        0 < low.top - high.top < _FARTHEST * heights[1]
        and heights[1] < _SAME_SIZE * heights[0]
        and low.left < high.right
        and high.left < low.right
    )


def _joint(above: Line, line: Line, run: _Run, next_run: _Run, paragraph: int) -> Joint:
    high, low = above.place, line.place
    if _is_beside(above, line):
        return Joint.JOIN
    short = high.right + line.first_word + 0.3 * high.height < run.right
    ended = _SENTENCE_END.search(above.text) is not None
    if run is not next_run:
        goes_on = not (short or ended or above.is_row) and line.text[0].islower()
        return Joint.JOIN if goes_on else Joint.PARAGRAPH
    if low.top - high.top > _WIDER_LEADING * run.leading:
        return Joint.PARAGRAPH
    if above.is_row or line.is_row:
        return Joint.LINE
    if _ITEM.match(line.text) and (ended or short or not line.text[0].isalnum()):
        return Joint.LINE
    if short:
        return Joint.PARAGRAPH if ended else Joint.LINE
    return Joint.PARAGRAPH if _is_indented(above, line, ended, paragraph) else Joint.JOIN


def _is_indented(above: Line, line: Line, ended: bool, paragraph: int) -> bool:
    """Whether the left edge tells a new paragraph: a first line set in, or a hanging one out."""
    step = (line.place.left - above.place.left) / max(line.place.height, 0.1)
    if step > _INDENT:
        return ended and not (paragraph == 1 and _ITEM.match(above.text))
    return step < -_INDENT and paragraph > 1 and ended


def _is_beside(above: Line, line: Line) -> bool:
    """Whether pdfium broke a line where only a superscript or a gap is."""
    high, low = above.place, line.place
    overlap = min(high.bottom, low.bottom) - max(high.top, low.top)
    height = max(min(high.height, low.height), 0.1)
    gap = low.left - high.right
    return overlap > _BESIDE * height and -1.5 * height < gap < 3 * height


def _between(above: Line, line: Line) -> str:
    """What joins two lines of one paragraph; a mark set beside a word stays with it."""
    if _is_beside(above, line) and line.place.left - above.place.right < 0.15 * line.place.height:
        return ""
    return glue(above.text, line.text)
