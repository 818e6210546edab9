"""PPTX by python-pptx: slides with their title, text, tables, charts and notes."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from pptx import Presentation

from ingest.parsers.archive import Archive
from ingest.parsers.blocks import Block, Section, assemble_sections, row
from ingest.parsers.detection import RawFile
from ingest.types import Parsed, ParseLimits


def parse_pptx(file: RawFile, _limits: ParseLimits) -> Parsed:
    """The text of a presentation, a page a slide; on each from top to bottom, the title first."""
    Archive(file.data, file.name, "PPTX")  # refuses bombs before python-pptx unpacks them
    deck = Presentation(BytesIO(file.data))
    slides = (Section(f"slide {n}", _slide(slide)) for n, slide in enumerate(deck.slides, start=1))
    text, headings, pages = assemble_sections(slides)
    title = (deck.core_properties.title or "").strip()
    if title in ("", "PowerPoint Presentation"):
        title = next((text[h.start : h.end] for h in headings), "")
    return Parsed(text, file.kind.value, title=title or None, pages=pages, headings=headings)


def _slide(slide: Any) -> Iterator[Block]:
    title = slide.shapes.title
    if title is not None:
        yield Block(_words(title.text_frame.text).replace("\n", " "), level=1)
    rest = [shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id]
    yield from _shapes(rest)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = _words(slide.notes_slide.notes_text_frame.text)
        if notes.strip():
            yield Block(f"Notes: {notes}")


def _shapes(shapes: Iterable[Any]) -> Iterator[Block]:
    """From top to bottom, from left to right; what has no place of its own comes as it stands."""
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if hasattr(shape, "shapes"):  # a group
            yield from _shapes(shape.shapes)
        elif getattr(shape, "has_table", False):
            for cells in shape.table.rows:
                yield row([" ".join(_words(cell.text).split()) for cell in cells.cells])
        elif getattr(shape, "has_chart", False):
            yield from _chart(shape.chart)
        elif shape.has_text_frame:
            yield from _paragraphs(shape.text_frame)
        else:
            yield Block(_description(shape))


def _paragraphs(frame: Any) -> Iterator[Block]:
    for paragraph in frame.paragraphs:
        words = _words(paragraph.text)
        if words.strip():
            indent = "  " * max(paragraph.level - 1, 0)
            yield Block(f"{indent}- {words}" if paragraph.level else words, tight=True)


def _chart(chart: Any) -> Iterator[Block]:
    """What a chart is drawn from, as a table."""
    if chart.has_title and chart.chart_title.has_text_frame:
        yield Block(_words(chart.chart_title.text_frame.text))
    for plot in chart.plots:
        series = list(plot.series)
        yield row(["", *(str(one.name) for one in series)])
        for at, category in enumerate(plot.categories):
            values = [str(one.values[at]) if at < len(one.values) else "" for one in series]
            yield row([str(category), *values])


def _description(shape: Any) -> str:
    """What its author says that a picture shows."""
    return " ".join(_words(text) for text in shape._element.xpath(".//p:cNvPr/@descr"))


def _words(text: str) -> str:
    return text.replace("\v", "\n")
