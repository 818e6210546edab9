import io

import pypdf
import pytest
from pypdf.constants import PageLabelStyle
from reportlab.pdfgen.canvas import Canvas

from ingest.errors import DamagedDocument, EmptyDocument, EncryptedDocument, TooLarge
from ingest.parsers import parse
from ingest.types import ParseLimits
from tests.ingest.parsers.builders import headings_of, pdf, text_of

WRAPPED = [
    "A footnote server quotes its sources and checks every quote be-",
    "fore it shows it. The text of a page is put together again from its",
    "lines.",
    "A second paragraph begins here, although no blank line stands be-",
    "tween the two of them.",
]


LONG = "A line that is long enough for the one above it to be short."


def encrypted(user: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf([["Secret"]])))
    writer.encrypt(user, "owner", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_wrapped_lines_become_paragraphs() -> None:
    assert text_of(pdf([WRAPPED]), "a.pdf") == (
        "A footnote server quotes its sources and checks every quote before it shows it. "
        "The text of a page is put together again from its lines.\n\n"
        "A second paragraph begins here, although no blank line stands between the two of them."
    )


def test_chinese_lines_are_joined_without_spaces() -> None:
    lines = ["知识库服务器引用它的来源，并在显示之前检查每一个引用", "的文字。"]
    assert text_of(pdf([lines], chinese=True), "a.pdf") == "".join(lines)


def test_list_items_stay_on_their_lines() -> None:
    lines = ["The list of what is needed for the work follows right here:", "- paper", "- ink"]
    assert text_of(pdf([lines]), "a.pdf") == "\n".join(lines)


def test_pages_are_contiguous_and_an_empty_one_is_a_point() -> None:
    parsed = parse(pdf([["One"], [], ["Three"]]), "a.pdf")
    assert parsed.text == "One\n\nThree"
    spans = [(page.number, page.start, page.end, page.label) for page in parsed.pages]
    assert spans == [(1, 0, 5, "1"), (2, 5, 5, "2"), (3, 5, 10, "3")]


def test_page_labels() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf([["a"], ["b"], ["c"]])))
    writer.set_page_label(0, 1, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.set_page_label(2, 2, style=PageLabelStyle.DECIMAL, start=1)
    buffer = io.BytesIO()
    writer.write(buffer)
    assert [page.label for page in parse(buffer.getvalue(), "a.pdf").pages] == ["i", "ii", "1"]


def test_outline_gives_headings_where_the_text_has_them() -> None:
    pages = [["2.1 INTRODUCTION", LONG], ["Results", LONG, "Not here: Methods"]]
    outline = [("Introduction", 0), ("Results", 1), ("Methods", 1)]
    parsed = parse(pdf(pages, outline=outline), "a.pdf")
    assert headings_of(parsed) == [(1, "2.1 INTRODUCTION"), (1, "Results")]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Annual Report 2024", "Annual Report 2024"),
        ("untitled", None),
        ("Microsoft Word - report.doc", None),
        ("report_final.docx", None),
        ("0000012927-23-000007", None),
    ],
)
def test_title_only_if_a_person_gave_it(title: str, expected: str | None) -> None:
    assert parse(pdf([["x"]], title=title), "a.pdf").title == expected


def test_password() -> None:
    assert text_of(encrypted(""), "a.pdf") == "Secret"
    with pytest.raises(EncryptedDocument, match="password"):
        parse(encrypted("user"), "a.pdf")


def test_pages_without_text_are_taken_for_scans() -> None:
    with pytest.raises(EmptyDocument, match="scanned"):
        parse(pdf([[], []]), "a.pdf")


def test_limits_are_errors_never_cuts() -> None:
    data = pdf([["word " * 10], ["word " * 10]])
    with pytest.raises(TooLarge, match="1 pages"):
        parse(data, "a.pdf", limits=ParseLimits(pages=1))
    with pytest.raises(TooLarge, match="50 characters"):
        parse(data, "a.pdf", limits=ParseLimits(characters=50))


def test_garbage_under_a_header_is_damaged() -> None:
    with pytest.raises(DamagedDocument, match="damaged PDF"):
        parse(b"%PDF-1.7\n" + b"garbage " * 100, "a.pdf")


def test_text_set_sideways_is_read_like_upright_text() -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.rotate(90)
    for row, line in enumerate(WRAPPED):
        canvas.drawString(100, -100 - 14 * row, line)
    canvas.save()
    assert text_of(buffer.getvalue(), "a.pdf") == text_of(pdf([WRAPPED]), "a.pdf")


def test_rows_of_a_table_stay_on_their_lines() -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    rows = [("Revenue of the year", "1,200", "1,100"), ("Cost of sales", "800", "750")]
    for number, row in enumerate(rows):
        for place, cell in zip((72, 300, 400), row, strict=True):
            canvas.drawString(place, 700 - 14 * number, cell)
    canvas.save()
    assert text_of(buffer.getvalue(), "a.pdf") == "\n".join(" | ".join(row) for row in rows)
