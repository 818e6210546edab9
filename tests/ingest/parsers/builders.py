"""Small files for the tests, made on the spot."""

import zipfile
from collections.abc import Sequence
from io import BytesIO

import docx
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from ingest.parsers import parse
from ingest.types import Parsed

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def text_of(source: bytes | str, name: str) -> str:
    """The canonical text of a file."""
    return parse(source.encode() if isinstance(source, str) else source, name).text


def headings_of(parsed: Parsed) -> list[tuple[int, str]]:
    """The level and words of each heading."""
    return [(each.level, parsed.text[each.start : each.end]) for each in parsed.headings]


def pdf(
    pages: Sequence[Sequence[str]],
    *,
    title: str = "",
    outline: Sequence[tuple[str, int]] = (),
    rotation: int = 0,
    chinese: bool = False,
    top: float = A4[1] - 84,
) -> bytes:
    """A PDF with the given lines on each page, 14 points apart, from 72 points off the corner;
    `top` is the base of the first one, from the bottom.
    """
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.setTitle(title)
    if chinese:
        pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    for number, lines in enumerate(pages):
        for entry, page in outline:
            if page == number:
                canvas.bookmarkPage(entry)
                canvas.addOutlineEntry(entry, entry)
        canvas.setPageRotation(rotation)
        canvas.setFont("STSong-Light" if chinese else "Helvetica", 12)
        for row, line in enumerate(lines):
            canvas.drawString(72, top - 14 * row, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def word(*, title: str = "") -> bytes:
    """A DOCX by python-docx: headings, a list, a table."""
    document = docx.Document()
    document.core_properties.title = title
    document.add_heading("Report", 0)
    document.add_heading("Results", 1)
    document.add_paragraph("Sales grew by 4 %.")
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("second", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("Year", "Sales", "2024", "17"), strict=True):
        cell.text = text
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def package(body: str, *, styles: str = "", numbering: str = "", footnotes: str = "") -> bytes:
    """A DOCX with the given XML inside the body and in further parts; prefix w is bound."""
    parts = {"styles": styles, "numbering": numbering, "footnotes": footnotes}
    relations = "".join(
        f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind}" Target="{kind}.xml"/>' for kind in parts
    )
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r" '
            f'Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{_W}" '
            'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
            'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math">'
            f"<w:body>{body}</w:body></w:document>",
        )
        archive.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>',
        )
        for kind, content in parts.items():
            archive.writestr(f"word/{kind}.xml", f'<w:{kind} xmlns:w="{_W}">{content}</w:{kind}>')
    return buffer.getvalue()


def paragraph(text: str, properties: str = "") -> str:
    """A DOCX paragraph of one run."""
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
