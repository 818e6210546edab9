"""The faces and sizes of a PDF: one set for English, one for Chinese."""

from dataclasses import dataclass
from pathlib import Path

from reportlab.lib import textsplit
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont

INK, ACCENT = HexColor("#1c1c1c"), HexColor("#1f4e63")


@dataclass(frozen=True, slots=True)
class Typography:
    """Paragraph styles; `headings` from the title inwards."""

    body: ParagraphStyle
    item: ParagraphStyle
    cell: ParagraphStyle
    headings: tuple[ParagraphStyle, ParagraphStyle, ParagraphStyle]
    contents: tuple[ParagraphStyle, ParagraphStyle]
    folio: ParagraphStyle


def english() -> Typography:
    """Times for the text and Helvetica for headings, which every PDF reader has."""
    return _typography("Times-Roman", "Helvetica-Bold", 11, None)


def chinese(font: Path) -> Typography:
    """One face for everything, of which the glyphs that are used get embedded."""
    registerFont(TTFont("Chinese", str(font)))
    # ReportLab keeps Japanese marks from starting a line; these are the Chinese ones it lacks.
    textsplit.ALL_CANNOT_START = "".join(textsplit.CANNOT_START_LINE) + "，：；！？"
    return _typography("Chinese", "Chinese", 9.5, "CJK")


def _typography(text: str, display: str, size: float, wrap: str | None) -> Typography:
    body = ParagraphStyle(
        "Body",
        fontName=text,
        fontSize=size,
        leading=size * 1.5,
        spaceAfter=size * 0.7,
        alignment=TA_JUSTIFY,
        textColor=INK,
        wordWrap=wrap,
        embeddedHyphenation=1,
    )

    def heading(level: int, scale: float) -> ParagraphStyle:
        points = size * scale
        return ParagraphStyle(
            f"Heading{level}",
            body,
            fontName=display,
            fontSize=points,
            leading=points * 1.3,
            spaceBefore=points * 0.8,
            spaceAfter=points * 0.4,
            alignment=0,
            textColor=ACCENT,
            keepWithNext=1,
        )

    def contents(level: int) -> ParagraphStyle:
        indent = level * size * 1.5
        return ParagraphStyle(
            f"Contents{level}", body, alignment=0, leading=size, leftIndent=indent
        )

    item = ParagraphStyle("Item", body, leftIndent=size * 1.8, spaceAfter=size * 0.3)
    cell = ParagraphStyle("Cell", body, fontSize=size * 0.9, leading=size * 1.2, alignment=0)
    cell.spaceAfter = 0
    folio = ParagraphStyle("Folio", body, fontSize=size * 0.8)
    headings = (heading(1, 2.2), heading(2, 1.5), heading(3, 1.1))
    return Typography(body, item, cell, headings, (contents(0), contents(1)), folio)
