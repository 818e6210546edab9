import io
import zipfile

import pytest

from ingest.errors import DamagedDocument, TooLarge
from ingest.parsers import parse
from tests.ingest.parsers.builders import headings_of, package, paragraph, text_of, word


def test_headings_lists_and_tables() -> None:
    parsed = parse(word(), "a.docx")
    assert parsed.text == (
        "Report\n\nResults\n\nSales grew by 4 %.\n\n- first\n- second\nYear | Sales\n2024 | 17"
    )
    assert headings_of(parsed) == [(1, "Report"), (1, "Results")]
    assert parsed.pages == ()


def test_title_of_the_properties_or_the_text() -> None:
    assert parse(word(title="Annual report"), "a.docx").title == "Annual report"
    assert parse(word(), "a.docx").title == "Report"


def test_tracked_changes_fields_and_hidden_text() -> None:
    body = (
        "<w:p><w:r><w:t>A</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>B</w:t></w:r></w:ins><w:r><w:instrText>PAGE</w:instrText></w:r>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:hyperlink><w:r><w:t>C</w:t></w:r>"
        "</w:hyperlink><w:r><w:tab/><w:t>D</w:t><w:br/><w:t>E</w:t><w:noBreakHyphen/></w:r></w:p>"
    )
    assert text_of(package(body), "a.docx") == "ABC\tD\nE-"


def test_text_boxes_once() -> None:
    box = f"<w:txbxContent>{paragraph('boxed')}</w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>anchor</w:t><mc:AlternateContent><mc:Choice>"
        f"{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    assert text_of(package(body), "a.docx") == "anchor\n\nboxed"


def test_heading_levels_by_outline_inheritance_and_localised_names() -> None:
    styles = (
        '<w:style w:styleId="a"><w:name w:val="mine"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr>'
        '</w:style><w:style w:styleId="b"><w:name w:val="child"/><w:basedOn w:val="a"/></w:style>'
        '<w:style w:styleId="c"><w:name w:val="标题 3"/><w:basedOn w:val="c"/></w:style>'
    )
    body = "".join(paragraph(f"in {name}", f'<w:pStyle w:val="{name}"/>') for name in "abc")
    body += paragraph("own", '<w:outlineLvl w:val="4"/>')
    parsed = parse(package(body, styles=styles), "a.docx")
    assert headings_of(parsed) == [(2, "in a"), (2, "in b"), (3, "in c"), (5, "own")]


def test_numbers_that_word_shows() -> None:
    numbering = (
        '<w:abstractNum w:abstractNumId="7">'
        '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
        '<w:lvl w:ilvl="1"><w:numFmt w:val="lowerRoman"/><w:lvlText w:val="%1.%2)"/></w:lvl>'
        '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
    )
    depths = (0, 1, 1, 0, 1)
    body = "".join(
        paragraph(f"p{place}", f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="1"/></w:numPr>')
        for place, depth in enumerate(depths)
    )
    shown = text_of(package(body, numbering=numbering), "a.docx")
    assert shown.split("\n") == ["1. p0", "1.i) p1", "1.ii) p2", "2. p3", "2.i) p4"]


def test_footnotes_follow_the_text() -> None:
    body = '<w:p><w:r><w:t>Claim</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
    notes = f'<w:footnote w:id="2">{paragraph("Proof.")}</w:footnote>'
    assert text_of(package(body, footnotes=notes), "a.docx") == "Claim[2]\n\n[2] Proof."


def test_strict_namespace() -> None:
    source, target = io.BytesIO(package(paragraph("strict"))), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            content = content.replace(
                b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
                b"http://purl.oclc.org/ooxml/wordprocessingml/main",
            ).replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                b"http://purl.oclc.org/ooxml/officeDocument/relationships",
            )
            new.writestr(name, content)
    assert text_of(target.getvalue(), "a.docx") == "strict"


def test_a_bomb_is_too_large() -> None:
    with pytest.raises(TooLarge, match="unpacks to"):
        parse(package(paragraph("a" * 5_000_000)), "a.docx")


def test_entities_are_not_resolved() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "word/document.xml",
            '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document xmlns:w="http://'
            'schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
            + paragraph("safe&x;")
            + "</w:body></w:document>",
        )
    assert text_of(buffer.getvalue(), "a.docx") == "safe"


def test_truncated_archive_is_damaged() -> None:
    with pytest.raises(DamagedDocument, match="repair"):
        parse(word()[:-200], "a.docx")
