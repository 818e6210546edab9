"""Sets a source as a Word document."""

import io
import zipfile
from datetime import UTC, datetime

from docx import Document
from docx.document import Document as WordDocument
from docx.oxml.ns import qn

from sample_docs.making.blocks import Block, Heading, Items, Paragraph, Source, Table

MADE = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)
CHINESE_FONT = "SimSun"


def set_docx(source: Source) -> bytes:
    """A DOCX file; the same bytes for the same source, in every year and time zone."""
    document = Document()
    properties = document.core_properties
    properties.title, properties.author = source.fields["title"], source.fields["author"]
    properties.language, properties.comments = source.fields["language"], ""
    properties.created = properties.modified = MADE
    if source.fields["language"] == "zh":
        fonts = document.styles["Normal"].element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), CHINESE_FONT)
    for block in source.blocks:
        _add(document, block)
    packed = io.BytesIO()
    document.save(packed)
    return _without_clock(packed)


def _add(document: WordDocument, block: Block) -> None:
    match block:
        case Heading(level, text):
            document.add_heading(text, level - 1)
        case Paragraph(text):
            document.add_paragraph(text)
        case Items(lines, numbered):
            for line in lines:
                document.add_paragraph(line, "List Number" if numbered else "List Bullet")
        case Table(rows):
            table = document.add_table(len(rows), len(rows[0]), "Table Grid")
            for cells, row in zip(table.rows, rows, strict=True):
                for cell, text in zip(cells.cells, row, strict=True):
                    cell.text = text
        case _:
            raise ValueError(f"a Word document has no place for {block}")


def _without_clock(packed: io.BytesIO) -> bytes:
    """The same archive with the dates of its parts set to 1980, where ZIP begins."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(fixed, "w") as new:
        for name in old.namelist():
            part = zipfile.ZipInfo(name)
            part.create_system = 3  # otherwise it tells Windows from the rest
            new.writestr(part, old.read(name), zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
